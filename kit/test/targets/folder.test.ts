import { join } from 'node:path';
import { connect } from '@sim2servo/deploy/targets/connect';
import t from 'tap';
import { RobotFolder } from './bundles.js';
import { contract } from './contract.js';

t.test('a store in a folder of this machine', async t => {
  const lacks = { link: 'the agent is in this process', agentProcess: 'it is this one' };
  contract(
    t,
    async folder => {
      const robot = new RobotFolder(join(folder, 'desk'));
      const store = join(folder, 'store');
      let sent = 0;
      return {
        store,
        folder: robot,
        async connect() {
          const connection = await connect(store, { robot: robot.folder });
          return {
            ...connection,
            send: (file, from, onSent) => {
              sent += file.content.length - from;
              return connection.send(file, from, onSent);
            },
          };
        },
        sentBytes: () => sent,
        overhead: { share: 0, bytes: 1 },
        stop: async () => {},
      };
    },
    lacks,
  );
});
