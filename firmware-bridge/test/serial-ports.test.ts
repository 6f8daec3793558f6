import { existsSync } from 'node:fs';
import t from 'tap';
import { listPorts } from '../src/serial-ports.js';

t.test('each port has a path that exists, and nothing that is not known stands in it', async t => {
  const ports = await listPorts();
  t.ok(Array.isArray(ports), `${ports.length} ports here`);
  for (const port of ports) {
    if (process.platform !== 'win32') t.ok(existsSync(port.path), port.path);
    t.notOk(Object.values(port).includes(undefined), JSON.stringify(port));
  }
});
