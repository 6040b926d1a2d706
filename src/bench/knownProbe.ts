/**
 * An independent look at the known server, as a child process: one GET at a time on a plain socket, spinning for the answer, so that what
 * it sees is the server and the loopback alone. Arguments: port, count, pause in µs. Prints its round trips as a JSON array of µs.
 */
import { connect } from 'node:net';
import { monotonicUs, sleepUs } from '../base/clock.js';

const GET = '*2\r\n$3\r\nGET\r\n$5\r\nprobe\r\n';
/** `$64\r\n`, 64 bytes, `\r\n` */
const REPLY_BYTES = 71;

const [port = 0, count = 0, pauseUs = 0] = process.argv.slice(2).map(Number);
const socket = connect({ port, host: '127.0.0.1', noDelay: true });
await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));

const roundTripsUs: number[] = [];
for (let i = 0; i < count; i++) {
  await sleepUs(pauseUs);
  roundTripsUs.push(await roundTripUs());
}
socket.destroy();
process.stdout.write(JSON.stringify(roundTripsUs));

function roundTripUs(): Promise<number> {
  return new Promise((resolve) => {
    let isWaiting = true;
    let received = 0;
    const sentUs = monotonicUs();
    const onData = (data: Buffer): void => {
      const nowUs = monotonicUs();
      received += data.length;
      if (received < REPLY_BYTES) return;
      isWaiting = false;
      socket.off('data', onData);
      resolve(nowUs - sentUs);
    };
    // A thread that sleeps in the kernel is woken late; one that asks again and again is not.
    const spin = (): void => {
      if (isWaiting) setImmediate(spin);
    };
    socket.on('data', onData);
    socket.write(GET);
    spin();
  });
}
