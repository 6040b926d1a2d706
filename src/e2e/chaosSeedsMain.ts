/** `npm run chaos:seeds [-- COUNT [FIRST]]`: runs random chaos with many seeds, one after the other, and ends with 1 when one did not heal. */
import { messageOf } from '../base/errors.js';
import { runSeed } from './chaosSeeds.js';

const [count = 20, first = 1] = process.argv.slice(2).map(Number);
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  try {
    const { results } = await runSeed(seed, '20s');
    const statuses = results.summary.faults.map(({ kind, status }) => (status === 'healed' ? kind : `${kind} (${status})`));
    console.log(`seed ${seed}: healed, nothing left: ${statuses.join(', ')}`);
  } catch (error) {
    failed++;
    console.log(`seed ${seed}: ${messageOf(error)}\n  again: kvbench run random-chaos --set seed=${seed} --set load.phases.1.duration=20s`);
  }
}
console.log(`${count - failed} of ${count} seeds ended healed with nothing left`);
process.exitCode = failed === 0 ? 0 : 1;
