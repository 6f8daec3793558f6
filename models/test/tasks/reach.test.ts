/** Tests of tasks/reach; its writer is at it. */
export {};
