/** The program that keeps a lab in the background. Started by topology/keptLab.ts; nothing may import it, since that would run it. */
import { runKeeper } from '../../topology/labKeeper.js';
import { openKeptNetwork } from './keptNetwork.js';

runKeeper(openKeptNetwork);
