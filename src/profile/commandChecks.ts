/** Custom commands against the target: some need a key, some no guest may send. Called by loadProfile once the parts are parsed. */
import type { Ground } from './crossChecks.js';
import { KEY_MARK, templateOf } from './customCommand.js';
import type { ProfileOutput } from './profileSchema.js';
import { refusalOf } from './refusedCommands.js';

/** @param profile null: its commands are wrong, and that was told */
export function checkCommands({ tree, problems, target }: Ground, profile: ProfileOutput | null): void {
  if (profile === null || target === null) return;
  const isCluster = target.topology === 'cluster' || (target.topology === 'external' && target.mode === 'cluster');
  for (const [name, { command }] of Object.entries(profile.load.workload.commands)) {
    const template = templateOf(command);
    if ('problem' in template) continue;
    const place = tree.place(['load', 'workload', 'commands', name, 'command']);
    if (isCluster && !template.hasKey) {
      problems.add(place, `command: ${name} has no ${KEY_MARK}, and on a cluster the key says which node a command goes to; give it one`);
    }
    const refusal = refusalOf(template.words, target.topology === 'external');
    if (refusal !== null) problems.add(place, `command: ${template.words[0]?.toUpperCase()} is refused: ${refusal}`);
  }
}
