/** A TCP connection that counts what goes to the robot, and breaks when it is told to. Those who come again get through. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class CutProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes to the robot. */
  sentBytes = 0;
  /** Cuts every connection once so many have gone; then no more. */
  cutAt = Number.POSITIVE_INFINITY;
  cuts = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param port where the real one listens on this machine */
  static async start(port: number): Promise<CutProxy> {
    const server = createServer();
    const proxy = new CutProxy(server);
    server.on('connection', near => {
      const far = connect({ port, host: '127.0.0.1' });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        proxy.#sockets.add(from);
        from.on('error', () => {});
        from.on('close', () => {
          proxy.#sockets.delete(from);
          to.destroy();
        });
        from.on('data', chunk => {
          if (from === near) proxy.#count(chunk.length);
          if (!to.write(chunk)) {
            from.pause();
            to.once('drain', () => from.resume());
          }
        });
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  #count(bytes: number): void {
    this.sentBytes += bytes;
    if (this.sentBytes < this.cutAt) return;
    this.cutAt = Number.POSITIVE_INFINITY;
    this.cuts++;
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
