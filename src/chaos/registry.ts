/**
 * All faults that kvbench knows. Read by the profile schema, the documents, `kvbench list` and the chaos controller: to add a fault,
 * write one file under `faults/` and name it here.
 */
import type { FaultKind } from './fault.js';
import { addNode } from './faults/addNode.js';
import { bridge } from './faults/bridge.js';
import { clientKill } from './faults/clientKill.js';
import { clientPause } from './faults/clientPause.js';
import { config } from './faults/config.js';
import { exec } from './faults/exec.js';
import { failover } from './faults/failover.js';
import { fork } from './faults/fork.js';
import { fullSync } from './faults/fullSync.js';
import { isolate } from './faults/isolate.js';
import { kill } from './faults/kill.js';
import { oneWay } from './faults/oneWay.js';
import { partition } from './faults/partition.js';
import { pause } from './faults/pause.js';
import { removeNode } from './faults/removeNode.js';
import { reshard } from './faults/reshard.js';
import { restart } from './faults/restart.js';
import { rollingRestart } from './faults/rollingRestart.js';
import { rollingUpgrade } from './faults/rollingUpgrade.js';
import { slowCommand } from './faults/slowCommand.js';
import { throttle } from './faults/throttle.js';
import { toxic } from './faults/toxic.js';
import { wipe } from './faults/wipe.js';

export const faultRegistry: readonly FaultKind[] = [
  kill,
  pause,
  restart,
  wipe,
  throttle,
  toxic,
  partition,
  isolate,
  oneWay,
  bridge,
  failover,
  clientPause,
  clientKill,
  slowCommand,
  config,
  reshard,
  addNode,
  removeNode,
  fork,
  fullSync,
  exec,
  rollingRestart,
  rollingUpgrade,
] as readonly FaultKind[];
