/**
 * All faults that kvbench knows. Read by the profile schema, the documents, `kvbench list` and the chaos controller: to add a fault,
 * write one file under `faults/` and name it here.
 */
import type { FaultKind } from './fault.js';
import { kill } from './faults/kill.js';
import { pause } from './faults/pause.js';
import { restart } from './faults/restart.js';
import { toxic } from './faults/toxic.js';

export const faultRegistry: readonly FaultKind[] = [kill, pause, restart, toxic] as readonly FaultKind[];
