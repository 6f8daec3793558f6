/** A robot at the other end of a connection, without a robot. */
import { emptyState } from '@sim2servo/runtime/releases/store-state';
import type { OutgoingFile, Request, RobotConnection } from '../../src/agent/protocol.js';

export const fakeStatus = { runtimeVersion: '0.1.0', platform: 'linux-arm64', state: emptyState, freeBytes: 1 };
export const fakeEntry = {
  at: new Date(0).toISOString(),
  id: 'a',
  digest: 'd'.repeat(64),
  words: 'so',
  seconds: 1,
};

/** A robot that answers as it is told; `answers` wins. */
export class FakeRobot implements RobotConnection {
  readonly asked: string[] = [];
  readonly sent: { readonly bytes: number; readonly from: number }[] = [];
  answers: Partial<Record<Request['kind'], (request: Request) => unknown>> = {};
  async request(request: Request, onEvent?: Parameters<RobotConnection['request']>[1]): Promise<never> {
    this.asked.push(request.kind);
    const own = this.answers[request.kind];
    if (own !== undefined) return (await own(request)) as never;
    if (request.kind === 'install') {
      onEvent?.({ ...fakeEntry, event: 'tested', figures: { goldenMaxError: 1e-6, inferP99Us: 90 } });
      return { id: 'a', outcome: 'proposed' } as never;
    }
    if (request.kind === 'follow') {
      onEvent?.({ ...fakeEntry, event: 'shadow' });
      return { outcome: 'committed', words: 'it drives' } as never;
    }
    if (request.kind === 'lacking') return request.files.map(({ sha256 }) => ({ sha256, from: 0 })) as never;
    if (request.kind === 'hello') return { ...fakeStatus, protocol: 1, incoming: '/x' } as never;
    return (request.kind === 'status' ? { ...fakeStatus, previous: 'b'.repeat(64) } : {}) as never;
  }
  async send({ content }: OutgoingFile, from: number, onSent: (bytes: number) => void): Promise<void> {
    this.sent.push({ bytes: content.length, from });
    onSent(content.length);
  }
  close = async () => {};
}
