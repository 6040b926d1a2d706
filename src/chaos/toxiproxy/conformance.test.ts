/** The conformance suite on the embedded server, in its own thread as kvbench runs it. */
import { after, before, describe } from 'node:test';
import { conformanceSuite } from './conformance.js';
import { type EmbeddedToxiproxy, startEmbeddedToxiproxy } from './embedded.js';

describe('the embedded server conforms to the Toxiproxy API', () => {
  let server: EmbeddedToxiproxy;
  before(async () => {
    server = await startEmbeddedToxiproxy({ metrics: true });
  });
  // Before the server is closed: hooks run in the order they were named, and the suite cleans up.
  conformanceSuite(() => server.url);
  after(() => server.close());
});
