/** The share of a budget that one connection uses. */
export interface Share {
  /** Sets the number of bytes that the connection uses now. */
  resize(bytes: number): void;
  release(): void;
}

/** A memory limit that all connections share. */
export interface Budget {
  /** @param evict called when other connections need the memory; it must release the share */
  reserve(evict: () => void): Share;
}

/**
 * Limits the total memory of all connections. When the limit is exceeded, the connection that has used memory for the
 * longest time is evicted. kube-apiserver sends and reads within milliseconds, so this is a slow or stalled client.
 */
export function createBudget(limit: number): Budget {
  const shares = new Map<Share, { bytes: number; evict: () => void }>(); // in order of creation, oldest first
  let total = 0;

  function makeRoom(): void {
    for (const { evict } of shares.values()) {
      if (total <= limit) return;
      evict();
    }
  }

  return {
    reserve(evict) {
      const usage = { bytes: 0, evict };
      const share: Share = {
        resize(bytes) {
          if (!shares.has(share)) return;
          total += bytes - usage.bytes;
          usage.bytes = bytes;
          makeRoom();
        },
        release() {
          if (shares.delete(share)) total -= usage.bytes;
        },
      };
      shares.set(share, usage);
      return share;
    },
  };
}
