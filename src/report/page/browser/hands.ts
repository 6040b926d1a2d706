/** Pointer, wheel and keys on the charts of a page. Used by main.ts and comparison.ts. */
import type { TimelineView } from './timelineView.js';

const STEP_BUCKETS = 1;
const BIG_STEP_BUCKETS = 10;
const ZOOM_FACTOR = 1.5;

export function wirePointer<Options>(place: HTMLElement, view: TimelineView<Options>): void {
  // A page that is being scrolled carries charts under the pointer: they take the wheel only from one who moved onto them.
  let meant = false;
  window.addEventListener('scroll', () => {
    meant = false;
    view.readAt(null);
  });
  const read = (event: PointerEvent): void => {
    meant = true;
    if (event.target instanceof HTMLCanvasElement) view.readPointer(event.target, event.clientX, event.clientY);
    else view.readAt(null);
  };
  place.addEventListener('pointermove', read);
  place.addEventListener('pointerdown', read);
  // A finger that is lifted leaves as well: what it pointed at stays to be read.
  place.addEventListener('pointerleave', (event) => {
    if (event.pointerType !== 'touch') view.readAt(null);
  });
  place.addEventListener('dblclick', (event) => {
    if (event.target instanceof HTMLCanvasElement) view.reset();
  });
  place.addEventListener(
    'wheel',
    (event) => {
      // With nothing left to zoom out of, the wheel is the page's.
      const zoomsOut = event.deltaY > 0;
      if (!event.ctrlKey && (!meant || (zoomsOut && !view.zoomed))) event.stopPropagation();
    },
    { capture: true, passive: true },
  );
}

export function wireKeys<Options>(place: HTMLElement, view: TimelineView<Options>): void {
  place.addEventListener('keydown', (event) => {
    if (!(event.target instanceof HTMLCanvasElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? BIG_STEP_BUCKETS : STEP_BUCKETS;
    if (event.key === 'ArrowRight') view.step(step, event.target);
    else if (event.key === 'ArrowLeft') view.step(-step, event.target);
    else if (event.key === '+' || event.key === '=') view.zoomBy(ZOOM_FACTOR);
    else if (event.key === '-') view.zoomBy(1 / ZOOM_FACTOR);
    else if (event.key === '0') view.reset();
    else if (event.key === 'Escape') view.readAt(null);
    else return;
    event.preventDefault();
  });
  place.addEventListener('focusout', () => view.readAt(null));
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`bug in kvbench: the page has no #${id}`);
  return found;
}
