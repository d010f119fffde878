import type { Container, Pod } from "./types.ts";

/** The node labels for the operating system (kubernetes.io/docs, Well-Known Labels). */
const osLabels = ["kubernetes.io/os", "beta.kubernetes.io/os"];
const buildLabel = "node.kubernetes.io/windows-build";

/**
 * Whether a pod runs on Windows. `spec.os` or a node selector for the operating system decides. Without them, it looks for
 * signs of Windows: a node selector or affinity for Windows nodes, a toleration, a command or a path.
 */
export function isWindows({ spec }: Pod): boolean {
  const selector = spec.nodeSelector ?? {};
  const os = spec.os?.name ?? osLabels.map((label) => selector[label]).find((value) => value !== undefined);
  if (os !== undefined) return os === "windows";
  return (
    buildLabel in selector ||
    requiresWindowsNode(spec) ||
    (spec.tolerations ?? []).some(({ value }) => value?.toLowerCase() === "windows") ||
    spec.containers.some((container) => hasDriveLetter(container) || hasWindowsCommand(container))
  );
}

/** Whether every term of the node affinity selects only Windows nodes. */
function requiresWindowsNode({ affinity }: Pod["spec"]): boolean {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const isWindowsTerm = terms.map(({ matchExpressions }) =>
    (matchExpressions ?? []).some(({ key, operator, values }) =>
      osLabels.includes(key)
        ? operator === "In" && values?.join() === "windows"
        : key === buildLabel && operator !== "DoesNotExist" && operator !== "NotIn",
    ),
  );
  return isWindowsTerm.length > 0 && isWindowsTerm.every(Boolean);
}

/** A path like `C:\actions-runner`. On Linux a mountPath cannot contain a colon. */
function hasDriveLetter({ command, args, workingDir, volumeMounts }: Container): boolean {
  const paths = (volumeMounts ?? []).map(({ mountPath }) => mountPath);
  return [...(command ?? []), ...(args ?? []), workingDir ?? "", ...paths].some((text) => /^[a-z]:[\\/]/i.test(text));
}

/** PowerShell also runs on Linux. So a PowerShell command with a Linux path does not indicate Windows. */
function hasWindowsCommand({ command, args }: Container): boolean {
  const words = [...(command ?? []), ...(args ?? [])];
  const program = (words[0] ?? "").toLowerCase();
  if (/\.(cmd|bat|exe)$|(^|[\\/])(cmd|powershell)$/.test(program)) return true;
  const isPowerShell = /\.ps1$|(^|[\\/])pwsh$/.test(program);
  return isPowerShell && !words.some((word) => /^\/[\w.-]+\//.test(word));
}
