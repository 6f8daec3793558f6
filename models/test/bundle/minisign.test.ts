/** Tests of bundle/minisign; its writer is at it. */
export {};
