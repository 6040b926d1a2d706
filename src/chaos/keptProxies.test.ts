/** Proxies of a lab in the background: each user's toxics are its own and journalled; `heal` cleans whatever anybody left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attachProxies, cleanProxies } from './keptProxies.js';
import type { LinkRef } from './links.js';
import { openProxies } from './proxies.js';
import type { UndoLog, UndoStep } from './undoJournal.js';

const link: LinkRef = { from: 'clients', to: 'n1', channel: 'client' };
const latency = { type: 'latency', stream: 'downstream', toxicity: 1, attributes: { latency: 10 } } as const;

/** Steps that are not crossed out. */
function journal(): UndoLog & { open: Set<UndoStep> } {
  const open = new Set<UndoStep>();
  return {
    open,
    add: async (step) => {
      open.add(step);
      return { done: async () => void open.delete(step) };
    },
  };
}

test('two users of one lab do not touch each other’s toxics; what a user leaves stands in its journal and can be cleaned', async () => {
  const proxies = await openProxies({ kind: 'embedded' });
  try {
    const node = { id: 'n1', host: '127.0.0.1', port: 1, announced: { host: '127.0.0.9', port: 9 }, logFile: null };
    await proxies.addClientLinks([node], ['clients']);
    const links = proxies.made.map(({ link: ref, ...place }) => ({ ...ref, ...place }));
    const network = { url: proxies.url, clientGroups: ['clients'], links };
    const [ours, theirs] = [journal(), journal()];
    const first = await attachProxies(network, [node], ours);
    const second = await attachProxies(network, [node], theirs);
    assert.deepEqual(first.natMap, { '127.0.0.9:9': { host: '127.0.0.1', port: links[0]?.port } });

    await first.addToxic(link, 'kvbench-f1-1', latency);
    await second.addToxic(link, 'kvbench-f1-1', latency);
    assert.equal((await proxies.blemishes()).toxics.length, 2, 'the same name, twice');
    await assert.rejects(first.addToxic(link, 'x', { ...latency, type: 'no-such' }), /could not add a "no-such" toxic/);
    assert.equal(ours.open.size, 1, 'what did not come about needs no undoing');
    await first.setEnabled(link, false);
    assert.deepEqual([...ours.open].map(({ kind }) => kind).sort(), ['openProxy', 'toxiproxy']);
    assert.equal(await first.isClean(), false);

    await first.setEnabled(link, true);
    await first.removeToxic(link, 'kvbench-f1-1');
    assert.equal(ours.open.size, 0);
    assert.equal(await first.isClean(), true, 'what others have in force is theirs');
    assert.equal(await second.hasToxic(link, 'kvbench-f1-1'), true);
    assert.equal(await second.isClean(), false);

    await second.setEnabled(link, false);
    await second.close();
    assert.equal(await cleanProxies(network), 1);
    assert.deepEqual(await proxies.blemishes(), { toxics: [], closed: [] });
    assert.equal(await cleanProxies(network), 0);
  } finally {
    await proxies.close();
  }
});

test('proxies that have gone are told by the link they were for', async () => {
  const proxies = await openProxies({ kind: 'embedded' });
  try {
    const gone = { from: 'n1', to: 'n2', channel: 'bus', proxy: 'gone', host: '127.0.0.1', port: 1 } as const;
    const network = { url: proxies.url, clientGroups: [], links: [gone] };
    await assert.rejects(attachProxies(network, [], journal()), /has no gone \(the bus link from n1 to n2\) any more/);
  } finally {
    await proxies.close();
  }
});
