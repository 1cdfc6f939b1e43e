/**
 * Ends workerd when the launcher is killed. workerd outlives a SIGKILLed
 * parent and would keep the port; a shell that waits on a pipe from the
 * launcher sees the end of file and kills what it was told to watch. It costs
 * one sleeping shell. Should that be killed too, the next start finds the pids
 * in run.json (data-dir.mjs).
 */
import { spawn } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { basename } from "node:path";

/** `watch PID` adds, `quit` leaves without killing, end of file kills. */
const WATCH = `pids=""
while read -r verb pid; do
  case "$verb" in
    watch) pids="$pids $pid" ;;
    quit) exit 0 ;;
  esac
done
[ -n "$pids" ] && kill -9 $pids 2>/dev/null`;

/**
 * @param {(pid: number) => void} onRuntime told of every workerd that this process starts
 */
export function guardRuntimes(onRuntime) {
  const shell = process.platform === "win32" ? undefined : startShell();
  const pids = new Set();
  // Miniflare keeps its child to itself; Node announces every child process on this channel.
  const listen = ({ process: child }) => {
    child.once("spawn", () => {
      if (!basename(child.spawnfile).startsWith("workerd")) return;
      pids.add(child.pid);
      child.once("exit", () => pids.delete(child.pid));
      shell?.stdin.write(`watch ${child.pid}\n`);
      onRuntime(child.pid);
    });
  };
  subscribe("child_process", listen);
  return {
    pids: () => [...pids],
    release() {
      unsubscribe("child_process", listen);
      shell?.stdin.end("quit\n");
    },
  };
}

function startShell() {
  // A group of its own: Ctrl-C in the terminal must not end it before workerd.
  const shell = spawn("/bin/sh", ["-c", WATCH], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  shell.unref();
  shell.stdin.unref?.();
  return shell;
}
