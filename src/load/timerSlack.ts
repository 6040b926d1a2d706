/** How exactly the kernel wakes the calling thread from a sleep. Called by the pacing thread, once, when it begins. */
import { readlinkSync, writeFileSync } from 'node:fs';

/** What Linux may wake an ordinary thread late by, to save wake-ups. */
const DEFAULT_SLACK_US = 50;

/**
 * Asks Linux to wake the calling thread as exactly as it can. Only for a thread that sleeps in `Atomics.wait`: all others keep their slack.
 * @returns what its sleeps may still be late by, in µs, beside the time that a wake-up takes
 */
export function sleepExactly(): number {
  try {
    // "<process>/task/<thread>"; the threads of a process stand in /proc too, though it does not list them.
    const thread = readlinkSync('/proc/thread-self').split('/').at(-1);
    writeFileSync(`/proc/${thread}/timerslack_ns`, '1');
    return 0;
  } catch {
    // Another system, or a kernel or container that does not allow it.
    return DEFAULT_SLACK_US;
  }
}
