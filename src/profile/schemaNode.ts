/**
 * Looks things up in a JSON Schema by path: which keys a place takes, what a value must be. Used for messages, for matching
 * environment variables to keys and for the reference page. Pure.
 */
import { z } from 'zod';
import { isMap, type Path } from './profileTree.js';

/** The parts of JSON Schema that our schemas produce. */
export interface SchemaNode {
  /** Several for a choice of plain types. */
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  properties?: Record<string, SchemaNode>;
  required?: string[];
  additionalProperties?: SchemaNode | false;
  items?: SchemaNode;
  anyOf?: SchemaNode[];
  oneOf?: SchemaNode[];
  'x-range'?: string;
}

/** The JSON Schema of what people write (not of what it is parsed to). */
export function schemaNodeOf(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // zod leaves examples away where a value is transformed, since they could be of the output. Ours are as written.
      const examples = z.globalRegistry.get(zodSchema as unknown as z.ZodType)?.examples;
      if (examples) jsonSchema.examples = examples as unknown[];
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }) as SchemaNode;
}

/** All nodes that can describe the value at `path`; alternatives that a `fault:` or `topology:` beside it rules out are left out. */
export function nodesAt(root: SchemaNode, path: Path, rawRoot: unknown): SchemaNode[] {
  let nodes = narrowed(root, rawRoot);
  let raw = rawRoot;
  for (const segment of path) {
    raw = isMap(raw) || Array.isArray(raw) ? (raw as Record<string | number, unknown>)[segment] : undefined;
    nodes = nodes.flatMap((node) => stepInto(node, segment)).flatMap((node) => narrowed(node, raw));
  }
  return nodes;
}

/** Names of the keys that the map at `path` takes. */
export function keysAt(root: SchemaNode, path: Path, rawRoot: unknown): string[] {
  return [...new Set(nodesAt(root, path, rawRoot).flatMap((node) => Object.keys(node.properties ?? {})))];
}

function stepInto(node: SchemaNode, segment: string | number): SchemaNode[] {
  const own = node.properties && Object.hasOwn(node.properties, segment) ? node.properties[segment] : undefined;
  if (own) return [own];
  if (typeof segment === 'number' && node.items) return [node.items];
  return node.additionalProperties ? [node.additionalProperties] : [];
}

function narrowed(node: SchemaNode, raw: unknown): SchemaNode[] {
  const branches = node.anyOf ?? node.oneOf;
  if (!branches) return [node];
  const flat = branches.flatMap((branch) => narrowed(branch, raw));
  const fitting = flat.filter((branch) => constantsFit(branch, raw));
  return fitting.length > 0 ? fitting : flat;
}

function constantsFit(node: SchemaNode, raw: unknown): boolean {
  if (!isMap(raw)) return true;
  return Object.entries(node.properties ?? {}).every(([key, child]) => child.const === undefined || raw[key] === child.const);
}

/** Completes "it must be …": `a duration like 5s`, `a whole number from 1 to 64`, `one of a, b`. */
export function expectation(nodes: readonly SchemaNode[]): string {
  const texts = [...new Set(nodes.map(expectationOf).filter((text) => text !== ''))];
  return texts.join(', or ') || 'something else';
}

function expectationOf(node: SchemaNode): string {
  const example = node.examples?.[0];
  const like = example === undefined ? '' : ` like ${yamlText(example)}`;
  if (node.title) return `${/^[aeiou]/.test(node.title) ? 'an' : 'a'} ${node.title}${like}`;
  if (node.enum) return `one of ${node.enum.join(', ')}`;
  if (node.const !== undefined) return String(node.const);
  if (Array.isArray(node.type)) return expectation(node.type.map((type) => ({ type })));
  switch (node.type) {
    case 'integer':
      return `a whole number ${rangeText(node)}`.trim();
    case 'number':
      return `a number ${rangeText(node)}`.trim();
    case 'string':
      return node.minLength ? `a text${like} (not empty)` : `a text${like}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list${like}`;
    case 'object':
      return node.properties ? `a map of keys (${Object.keys(node.properties).join(', ')})` : `a map of keys${like}`;
    default:
      return '';
  }
}

/** `from 1 to 64`, `above 0`; empty when unlimited. */
export function rangeText(node: SchemaNode): string {
  const low = node.minimum !== undefined ? `from ${node.minimum}` : node.exclusiveMinimum !== undefined ? `above ${node.exclusiveMinimum}` : '';
  const upper = node.maximum ?? node.exclusiveMaximum;
  if (upper === undefined) return node.minimum === undefined ? low : `${node.minimum} or more`;
  const high = node.maximum !== undefined ? `to ${node.maximum}` : `below ${node.exclusiveMaximum}`;
  return [low, high].filter(Boolean).join(low.startsWith('above') ? ' and ' : ' ');
}

/** A value as it stands in one line of YAML. */
export function yamlText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yamlText).join(', ')}]`;
  if (isMap(value)) {
    const pairs = Object.entries(value).map(([key, child]) => `${yamlText(key)}: ${yamlText(child)}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  if (typeof value !== 'string') return JSON.stringify(value);
  const isPlain = /^[A-Za-z0-9_./][A-Za-z0-9_./() +-]*$/.test(value) && !/^(yes|no|on|off|true|false|null|[\d.]+)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
