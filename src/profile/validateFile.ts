/** Checks one file of any kind, told by its keys: a profile, a workload or a toxic. Called by the command line and by the tests of what we ship. */
import { dirname } from 'node:path';
import { explainIssues } from './explain.js';
import { loadProfile, type ProfileOptions } from './loadProfile.js';
import { ProblemList } from './problems.js';
import { isMap, ProfileTree } from './profileTree.js';
import { checkToxicFile } from './references.js';
import { schemaNodeOf } from './schemaNode.js';
import { workloadSchema } from './workloadSchema.js';
import { readYamlFile, type YamlFile } from './yamlFile.js';

export type FileKind = 'profile' | 'workload' | 'toxic';

/** @throws ProfileError with all problems of the file */
export function validateFile(path: string, options: ProfileOptions): FileKind {
  const yaml = readYamlFile(path, path);
  const kind = kindOf(yaml.value, path);
  const problems = new ProblemList();
  if (kind === 'profile') loadProfile(path, options);
  else if (kind === 'workload') checkWorkload(yaml, problems);
  else checkToxicFile(yaml, options.faults, problems);
  problems.throwIfAny();
  return kind;
}

function kindOf(value: unknown, path: string): FileKind {
  const has = (key: string): boolean => isMap(value) && Object.hasOwn(value, key);
  if (has('target') || has('load')) return 'profile';
  if (has('operations')) return 'workload';
  if (has('toxics') || has('steps') || has('dropConnections')) return 'toxic';
  if (/workloads\/?$/.test(dirname(path))) return 'workload';
  return /toxics\/?$/.test(dirname(path)) ? 'toxic' : 'profile';
}

function checkWorkload(yaml: YamlFile, problems: ProblemList): void {
  const result = workloadSchema.safeParse(yaml.value);
  if (result.success) return;
  const schema = schemaNodeOf(workloadSchema);
  explainIssues({ tree: new ProfileTree(yaml.value, yaml.origin), schema, problems }, result.error.issues);
}
