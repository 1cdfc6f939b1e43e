/**
 * Which process is it really? A pid alone is reused by the system, so a
 * process is remembered as pid + start time, and only one that still has both
 * is ever signalled.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** @typedef {{ pid: number, started: string }} ProcessMark */

/** @returns {ProcessMark | undefined} undefined when there is no such process (a zombie counts as none) */
export function markProcess(pid) {
  const started = process.platform === "linux" ? linuxStart(pid) : psStart(pid);
  return started === undefined ? undefined : { pid, started };
}

export function isAlive(mark) {
  const now = markProcess(mark.pid);
  return now !== undefined && now.started === mark.started;
}

export function killMarked(mark, signal) {
  if (!isAlive(mark)) return;
  try {
    process.kill(mark.pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** proc(5): after the command in parentheses, field 3 is the state and field 22 the start time in ticks since boot. */
function linuxStart(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : `${bootId()}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

/** Ticks since boot mean nothing after a reboot. */
function bootId() {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

function psStart(pid) {
  const out = spawnSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" });
  const line = out.stdout?.trim();
  return !line || line.startsWith("Z") ? undefined : line.replace(/^\S+\s+/, "");
}
