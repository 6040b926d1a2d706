/** Rows of the reference page from a JSON Schema: every key with its type, default, range, example and meaning. Pure. */
import { rangeText, type SchemaNode, yamlText } from './schemaNode.js';

export interface ReferenceRow {
  key: string;
  type: string;
  default: string;
  range: string;
  example: string;
  meaning: string;
}

/** One row per key, nested keys below their parent as `parent.key`, `map.NAME.key` and `list[].key`. `depth` limits the nesting. */
export function referenceRows(node: SchemaNode, prefix: string, depth = 10): ReferenceRow[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const name = `${prefix}${key}`;
    const required = node.required?.includes(key) ?? false;
    const row = rowOf(name, child, required);
    if (depth <= 1) return [row];
    const named = child.additionalProperties || undefined;
    if (child.properties) return [row, ...referenceRows(child, `${name}.`, depth - 1), ...(named ? [rowOf(`${name}.NAME`, named, false)] : [])];
    if (named?.properties) return [row, ...referenceRows(named, `${name}.NAME.`, depth - 1)];
    const item = child.items;
    if (item?.properties) return [row, ...referenceRows(item, `${name}[].`, depth - 1)];
    const variants = item?.oneOf ?? item?.anyOf ?? [];
    return variants.length > 0 && variants.every((variant) => variant.properties) ? [row, ...variantRows(variants, `${name}[].`, depth - 1)] : [row];
  });
}

/** Alternatives told apart by a constant (`type: latency`): what they share once, the rest under the constant. */
function variantRows(variants: readonly SchemaNode[], prefix: string, depth: number): ReferenceRow[] {
  const [first] = variants;
  const keys = Object.keys(first?.properties ?? {});
  const tag = keys.find((key) => first?.properties?.[key]?.const !== undefined);
  const shared = keys.filter((key) =>
    variants.every((variant) => JSON.stringify(variant.properties?.[key]) === JSON.stringify(first?.properties?.[key])),
  );
  const own = keys.filter((key) => key !== tag && !shared.includes(key));
  const words = variants.map((variant) => `\`${String(variant.properties?.[tag ?? '']?.const)}\``);
  const rows: ReferenceRow[] = [];
  if (tag)
    rows.push({
      ...rowOf(`${prefix}${tag}`, first?.properties?.[tag] ?? {}, true),
      type: words.join(', '),
      example: String(first?.properties?.[tag]?.const),
    });
  for (const key of shared) rows.push(rowOf(`${prefix}${key}`, first?.properties?.[key] ?? {}, first?.required?.includes(key) ?? false));
  for (const [index, variant] of variants.entries()) {
    for (const key of own) {
      const part = { properties: { [key]: variant.properties?.[key] ?? {} }, required: variant.required ?? [] };
      const found = referenceRows(part, prefix, depth).slice(1);
      rows.push(...found.map((row) => ({ ...row, meaning: `${tag} ${words[index]}: ${row.meaning}` })));
    }
  }
  return rows;
}

function rowOf(key: string, node: SchemaNode, required: boolean): ReferenceRow {
  return {
    key,
    type: typeText(node),
    default: required ? '**required**' : defaultText(node),
    range: node['x-range'] ?? numberRange(node),
    example: exampleText(node),
    meaning: node.description ?? '',
  };
}

function typeText(node: SchemaNode): string {
  if (node.title) return node.title;
  if (node.enum) return node.enum.map((word) => `\`${String(word)}\``).join(', ');
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  const branches = node.anyOf ?? node.oneOf;
  if (branches) return [...new Set(branches.map(typeText))].join(', or ');
  if (Array.isArray(node.type)) return node.type.map((type) => typeText({ type })).join(', or ');
  switch (node.type) {
    case 'integer':
      return 'whole number';
    case 'string':
      return 'text';
    case 'boolean':
      return '`true`, `false`';
    case 'array':
      return 'list';
    case 'object':
      return 'map';
    default:
      return node.type ?? 'any';
  }
}

function defaultText(node: SchemaNode): string {
  if (node.default === undefined || node.type === 'object') return '–';
  return node.default === '' ? '""' : `\`${yamlText(node.default)}\``;
}

function numberRange(node: SchemaNode): string {
  return node.type === 'integer' || node.type === 'number' ? rangeText(node) : '';
}

/** Without an example of its own, the default or the first word is one. */
function exampleText(node: SchemaNode): string {
  const example = node.examples?.[0] ?? node.enum?.[0] ?? node.const ?? (node.type === 'object' || node.type === 'array' ? undefined : node.default);
  const chosen = example ?? (node.type === 'boolean' ? true : (node.minimum ?? undefined));
  return chosen === undefined || chosen === '' ? '' : `\`${yamlText(chosen)}\``;
}

export function table(rows: readonly ReferenceRow[]): string {
  const cells = rows.map(({ key, type, default: fallback, range, example, meaning }) => [`\`${key}\``, type, fallback, range, example, meaning]);
  const lines = [['key', 'type', 'default', 'range', 'example', 'meaning'], ['---', '---', '---', '---', '---', '---'], ...cells];
  return lines.map((line) => `| ${line.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}
