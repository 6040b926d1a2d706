/** The doctor names what is missing and what to do about it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose } from './doctor.js';

test('every finding has its words; one that is not ok has a remedy', async () => {
  const checks = await diagnose(process.env);
  const names = checks.map((check) => check.name);
  for (const wanted of ['Node.js', 'Server', 'File descriptors', 'Ports', 'CPUs', 'Memory']) assert.ok(names.includes(wanted), wanted);
  for (const check of checks) {
    assert.ok(check.observed !== '' && check.meaning !== '', check.name);
    assert.equal(check.remedy === null, check.status === 'ok', check.name);
  }
  assert.equal(checks.find((check) => check.name === 'Ports')?.status, 'ok');
});

test('a server that is not there is a problem', async () => {
  const checks = await diagnose({ ...process.env, KVBENCH_SERVER: '/no/such/server' });
  const server = checks.find((check) => check.name === 'Server');
  assert.equal(server?.status, 'problem');
  assert.match(server?.observed ?? '', /\/no\/such\/server/);
});
