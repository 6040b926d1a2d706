/** noop: lets everything through, without a stage in the way. Registered in toxics/registry.ts. */
import type { ToxicKind } from './stage.js';

export const noop: ToxicKind = { type: 'noop', attributes: {}, makeStage: null };
