import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Argv } from 'yargs';
import { helpPage } from './helpPage.js';

const declare = (self: Argv): Argv =>
  self
    .usage('$0 <command>\n\nDoes this and that.')
    .command('run [profile]', 'Run a profile, which is a file or the name of a shipped one', (command) => command)
    .command('a-very-long-name <with> <many> <arguments>', 'Explained on the next line', (command) => command)
    .completion('completion', 'Print a script')
    .option('quiet', { alias: 'q', describe: 'Only errors' })
    .example('$0 run x', 'Runs x')
    .epilogue('The end.');

test('the page shows all that was declared, within the columns of the terminal', () => {
  const page = helpPage(declare, 60);
  assert.ok(
    page.split('\n').every((line) => line.length <= 60),
    page,
  );
  const expected = [
    'kvbench <command>\n\nDoes this and that.\n\nCommands:\n',
    '  kvbench a-very-long-name <with> <many> <arguments>\n                                    Explained on the next',
    '  kvbench completion                Print a script\n\nOptions:\n  -q, --quiet    Only errors\n',
    '  -h, --help     Show help',
    'Examples:\n  kvbench run x\n      Runs x\n\nThe end.\n',
  ];
  for (const part of expected) assert.ok(page.includes(part), `${part}\nis not in\n${page}`);
  const words = page.replaceAll(/\s+/g, ' ');
  assert.ok(words.includes('kvbench run [profile] Run a profile, which is a file or the name of a shipped one'), words);
});
