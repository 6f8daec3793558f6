/** A release store in a folder of this machine: the agent runs in this process. */
import type { HistoryEntry } from '@sim2servo/runtime/releases/history';
import type { AnswerTo, OutgoingFile, Request, RobotConnection } from '../agent/protocol.js';
import { type AgentOptions, RobotAgent } from '../agent/robot-agent.js';

const blockBytes = 2 ** 20;

export function connectFolder(options: AgentOptions): RobotConnection {
  const agent = new RobotAgent({ apart: true, ...options });
  const gone = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  return {
    async request<R extends Request>(
      request: R,
      onEvent: (entry: HistoryEntry) => void = () => {},
    ): Promise<AnswerTo<R>> {
      const work = agent.answer(request, { onEvent, signal: gone.signal });
      underWay.add(work);
      try {
        return await work;
      } finally {
        underWay.delete(work);
      }
    },
    async send({ sha256, content }: OutgoingFile, from, onSent) {
      let at = from;
      do {
        at = agent.incoming.append(sha256, at, content.subarray(at, at + blockBytes));
        onSent(at);
      } while (at < content.length);
    },
    /** What installs is finished: this process is the robot's. */
    async close() {
      gone.abort();
      await Promise.allSettled(underWay);
    },
  };
}
