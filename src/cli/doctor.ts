/** `kvbench doctor`: what this machine offers, what each finding means and what to do about it. Exit 100 when a run could not work. */
import pc from 'picocolors';
import { ExitCode } from '../base/errors.js';
import { diagnose } from '../topology/doctor.js';
import type { Terminal } from './terminal.js';

export async function doctor(terminal: Terminal): Promise<ExitCode> {
  const colors = pc.createColors(terminal.color);
  const marks = { ok: colors.green('✓'), warning: colors.yellow('!'), problem: colors.red('✗') };
  const checks = await diagnose(process.env);
  for (const check of checks) {
    terminal.data(`${marks[check.status]} ${check.name}: ${check.observed}`);
    terminal.data(colors.dim(`    ${check.meaning}`));
    if (check.status !== 'ok' && check.remedy) terminal.data(`    → ${check.remedy}`);
  }
  return checks.some((check) => check.status === 'problem') ? ExitCode.targetUnavailable : ExitCode.passed;
}
