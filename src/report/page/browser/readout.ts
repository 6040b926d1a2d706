/** The box beside the pointer with all values of one time. Used by main.ts. Text goes in as text, never as markup. */
import type { Readings } from './readings.js';

const GAP_PX = 18;
const EDGE_PX = 8;

export class Readout {
  readonly #box: HTMLElement;

  constructor(box: HTMLElement) {
    this.#box = box;
  }

  /** Beside the point (of the window), on the side that has room. */
  show(readings: Readings, xPx: number, yPx: number): void {
    const table = element('table');
    for (const { title, readings: rows } of readings.parts) {
      const body = element('tbody');
      const head = element('tr', 'part');
      const heading = element('th', '', title);
      heading.colSpan = 2;
      head.append(heading);
      body.append(head, ...rows.map(({ name, value, color }) => row(name, value, color)));
      table.append(body);
    }
    this.#box.replaceChildren(element('div', 'time', readings.time), table, ...readings.inForce.map((text) => element('div', 'in-force', text)));
    this.#box.hidden = false;
    this.#place(xPx, yPx);
  }

  hide(): void {
    this.#box.hidden = true;
  }

  #place(xPx: number, yPx: number): void {
    const { width, height } = this.#box.getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    const right = xPx + GAP_PX;
    const left = right + width + EDGE_PX <= clientWidth ? right : Math.max(EDGE_PX, xPx - GAP_PX - width);
    const top = Math.max(EDGE_PX, Math.min(yPx - height / 2, clientHeight - height - EDGE_PX));
    this.#box.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}

function row(name: string, value: string, color: string): HTMLElement {
  const tr = element('tr');
  const heading = element('th');
  const swatch = element('span', 'swatch');
  swatch.style.background = color;
  heading.append(swatch, name);
  tr.append(heading, element('td', '', value));
  return tr;
}

export function element<K extends keyof HTMLElementTagNameMap>(name: K, className = '', text?: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
