/**
 * An independent look at the known server, as a child process beside the load: one GET at a time on a plain socket, with no more rights than
 * kvbench has; it sleeps while it waits. What it sees late, this machine made late. Arguments: port, for how long and the pause between two
 * GETs in µs. Prints percentiles of its round trips, in µs, as JSON.
 */
import { connect } from 'node:net';
import { monotonicUs, sleepUs } from '../base/clock.js';

const GET = '*2\r\n$3\r\nGET\r\n$5\r\nprobe\r\n';
/** `$64\r\n`, 64 bytes, `\r\n` */
const REPLY_BYTES = 71;

const [port = 0, durationUs = 0, pauseUs = 0] = process.argv.slice(2).map(Number);
const socket = connect({ port, host: '127.0.0.1', noDelay: true });
await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));

const roundTripsUs: number[] = [];
const endUs = monotonicUs() + durationUs;
do {
  await sleepUs(pauseUs);
  roundTripsUs.push(await roundTripUs());
} while (monotonicUs() < endUs);
socket.destroy();
roundTripsUs.sort((a, b) => a - b);
process.stdout.write(JSON.stringify({ p50: percentileUs(50), p99: percentileUs(99) }));

function percentileUs(percentile: number): number {
  return roundTripsUs[Math.ceil((percentile / 100) * roundTripsUs.length) - 1] as number;
}

function roundTripUs(): Promise<number> {
  return new Promise((resolve) => {
    let received = 0;
    const sentUs = monotonicUs();
    const onData = (data: Buffer): void => {
      const nowUs = monotonicUs();
      received += data.length;
      if (received < REPLY_BYTES) return;
      socket.off('data', onData);
      resolve(nowUs - sentUs);
    };
    socket.on('data', onData);
    socket.write(GET);
  });
}
