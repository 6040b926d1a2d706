/**
 * The options of chartjs-plugin-annotation that the charts use. Written here because the plugin's own types name their files without an
 * ending, which compilation for Node does not resolve.
 */
import type { Chart } from 'chart.js';

/** Computed at every layout of the chart. */
export type Scriptable<T> = (context: { chart: Chart }) => T;
type Value = number | Scriptable<number>;
type DrawTime = 'beforeDatasetsDraw' | 'afterDraw';

interface OnScales {
  drawTime: DrawTime;
  adjustScaleRange: false;
  xScaleID: string;
  /** Absent: the first y axis. */
  yScaleID?: string;
}

export interface BoxAnnotation extends OnScales {
  type: 'box';
  xMin: number;
  xMax: number;
  yMin?: Value;
  yMax?: Value;
  backgroundColor: string;
  borderColor?: string;
  borderWidth: number;
  borderRadius?: number;
}

export interface LineAnnotation extends OnScales {
  type: 'line';
  xMin: number;
  xMax: number;
  yMin?: Value;
  yMax?: Value;
  borderColor: string;
  borderWidth: number;
  borderDash: number[];
}

export interface LabelAnnotation extends OnScales {
  type: 'label';
  content: string;
  display: Scriptable<boolean>;
  xValue: Value;
  yValue: Value;
  position: { x: 'start'; y: 'center' };
  color: string;
  backgroundColor: string | Scriptable<string>;
  font: { size: number; family: string };
  padding: { top: number; bottom: number; left: number; right: number };
  textAlign: 'left';
}
