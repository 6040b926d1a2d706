/** The thread that the mesh's listeners run in, so that neither the main thread nor the load threads carry the nodes' traffic. Started by mesh.ts. */
import { parentPort } from 'node:worker_threads';
import { unreachable } from '../../base/assert.js';
import { messageOf } from '../../base/errors.js';
import type { MeshCommand, MeshReply } from './meshMessages.js';
import { MeshRouter } from './meshRouter.js';

const port = parentPort;
if (port === null) throw new Error('bug in kvbench: meshWorker must run in a worker thread');
const router = new MeshRouter();

function obey(command: MeshCommand): Promise<void> {
  switch (command.type) {
    case 'listen':
      return router.listen(command.nodeId, command.kind, command.host, command.port);
    case 'routes':
      router.setRoutes(command.routes);
      return Promise.resolve();
    case 'close':
      return router.close();
    default:
      return unreachable(command);
  }
}

port.on('message', (command: MeshCommand) => {
  obey(command)
    .then(
      () => null,
      (error) => messageOf(error),
    )
    .then((problem) => {
      const reply: MeshReply = { id: command.id, problem };
      port.postMessage(reply);
      if (command.type === 'close') port.close();
    });
});
