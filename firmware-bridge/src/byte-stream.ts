/** A port, as the link sees it: bytes out, bytes in, and word that it went away. */
export interface ByteStream {
  /** Queues bytes; never blocks. After the stream has closed this does nothing. */
  write(bytes: Uint8Array): void;
  /** Sets the one receiver of bytes. The chunk belongs to the stream: copy what must outlive the call. */
  onData(receive: (chunk: Uint8Array) => void): void;
  /** Sets the one receiver of the end; `reason` is undefined where we closed it ourselves. */
  onClose(closed: (reason: Error | undefined) => void): void;
  close(): Promise<void>;
}
