/** A following thread of the split engine; see shards.ts. It needs ONNX Runtime only. */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { KitError } from '@sim2servo/models/error';
import { packError } from '@sim2servo/models/packed-error';
import { GradientExchange } from './gradient-exchange.js';
import {
  commandCodes,
  loadCommand,
  type ShardMessage,
  type ShardReply,
  type ShardSetup,
  stopCommand,
} from './shards.js';
import { takeInputs } from './shared-inputs.js';
import { SplitCore } from './split-core.js';

const { compiled, exchange: shared, inputs, shard, port } = workerData as ShardSetup;
const reply = (message: ShardReply) => port.postMessage(message);
const exchange = new GradientExchange(shared, shard);

try {
  const core = await SplitCore.open(compiled, { exchange });
  const take = takeInputs(inputs, core, shard);
  const commands = new Map([...commandCodes(compiled)].map(([name, code]) => [code, name.split('/')]));
  reply({ ready: true });
  for (let code = exchange.rendezvous.follow(); code !== stopCommand; code = exchange.rendezvous.follow()) {
    if (code === loadCommand) {
      const message = receiveMessageOnPort(port)?.message as ShardMessage;
      core.load(message.load);
      exchange.rendezvous.meet();
      continue;
    }
    const [kind, name] = commands.get(code) as [string, string];
    if (kind === 'average') core.average(name);
    else {
      take();
      apply(core, name);
    }
  }
  await core.dispose();
} catch (error) {
  reply({ error: packError(error, 'E_WORKER') });
  exchange.rendezvous.break();
}
port.close();

/** A loss that diverged did so on every shard; the first says it, this one waits for what comes then. */
function apply(core: SplitCore, name: string): void {
  try {
    if (core.apply(name) !== undefined)
      throw new KitError(
        'E_SHARDS_SYNC',
        'This onnxruntime-node has no synchronous call, and shards need one.',
        'Train with --threads 1, or install the version in package-lock.json.',
      );
  } catch (error) {
    if (!(error instanceof KitError && error.code === 'E_DIVERGED')) throw error;
  }
}
