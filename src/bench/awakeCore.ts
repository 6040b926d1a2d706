/**
 * The program that keeps a core awake: a loop, started by quietMachine.ts at idle priority. Argument: seconds. It ends with its parent, and after
 * its time.
 */
import { monotonicUs } from '../base/clock.js';

const parent = process.ppid;
const endUs = monotonicUs() + Number(process.argv[2]) * 1_000_000;
while (process.ppid === parent && monotonicUs() < endUs);
