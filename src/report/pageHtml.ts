/**
 * HTML made from data, escaped unless it is markup already. Used by everything that makes report.html; the one place where text becomes
 * markup, so that no name, reason or message of a run can ever be read as HTML.
 */

/** Markup that is safe to put into a page as it is. Only `html` and `raw` make it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

/** Strings and numbers put in are escaped, for text and for quoted attributes alike; null, undefined and false are nothing. */
export function html(parts: TemplateStringsArray, ...values: HtmlValue[]): Html {
  let text = parts[0] ?? '';
  for (const [i, value] of values.entries()) text += render(value) + (parts[i + 1] ?? '');
  return new Html(text);
}

/** Markup of our own (style, script); never text that came out of a run. */
export function raw(text: string): Html {
  return new Html(text);
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** JSON that can stand inside a `<script>`: without a `<` there is no way to end it or to open a comment. */
export function scriptJson(value: unknown): Html {
  return new Html(JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029'));
}

function render(value: HtmlValue): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(render).join('');
  return value === null || value === undefined || value === false ? '' : escapeHtml(String(value));
}

export interface Column {
  title: HtmlValue;
  /** Right-aligned with figures of one width. */
  numeric?: boolean;
  /** Prose, which may take several lines. */
  wrap?: boolean;
  /** Said when pointed at. */
  hint?: string;
}

export interface TableOptions {
  caption?: HtmlValue;
  /** Rows above the row of column titles, e.g. with column groups. */
  groups?: Html;
}

/** A table whose first column names its rows. A row is its cells; cells beyond the columns are a bug. */
export function table(columns: readonly Column[], rows: readonly (readonly HtmlValue[])[], options: TableOptions = {}): Html {
  const bodies = [html`<tbody>${rows.map((row) => tableRow(columns, row))}</tbody>`];
  return tableOf(columns, bodies, options);
}

/** Rows in groups, each under a heading of its own. */
export function groupedTable(columns: readonly Column[], groups: readonly { title: HtmlValue; rows: readonly (readonly HtmlValue[])[] }[]): Html {
  const bodies = groups.map(
    ({ title, rows }) =>
      html`<tbody><tr class="group"><th scope="rowgroup" colspan="${columns.length}">${title}</th></tr>${rows.map((row) => tableRow(columns, row))}</tbody>`,
  );
  return tableOf(columns, bodies, {});
}

function tableOf(columns: readonly Column[], bodies: readonly Html[], { caption, groups }: TableOptions): Html {
  const heads = columns.map(
    ({ title, numeric, hint }) => html`<th scope="col"${numeric ? html` class="num"` : ''}${hint ? html` title="${hint}"` : ''}>${title}</th>`,
  );
  return html`<div class="scroll" tabindex="0"><table>${caption ? html`<caption>${caption}</caption>` : ''}<thead>${groups}<tr>${heads}</tr></thead>${bodies}</table></div>`;
}

function tableRow(columns: readonly Column[], row: readonly HtmlValue[]): Html {
  const cells = row.map((cell, i) => {
    const attributes = columns[i]?.numeric ? html` class="num"` : columns[i]?.wrap ? html` class="wrap"` : '';
    return i === 0 ? html`<th scope="row"${attributes}>${cell}</th>` : html`<td${attributes}>${cell}</td>`;
  });
  return html`<tr>${cells}</tr>`;
}
