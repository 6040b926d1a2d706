/** Every type of toxic. A new one is a file beside this and a line here; toxic.ts looks types up. */
import { bandwidth } from './bandwidth.js';
import { latency } from './latency.js';
import { limitData } from './limitData.js';
import { noop } from './noop.js';
import { packetLoss } from './packetLoss.js';
import { resetPeer } from './resetPeer.js';
import { slicer } from './slicer.js';
import { slowClose } from './slowClose.js';
import type { ToxicKind } from './stage.js';
import { timeout } from './timeout.js';

export const toxicKinds: readonly ToxicKind[] = [latency, bandwidth, timeout, resetPeer, slowClose, limitData, slicer, packetLoss, noop];
