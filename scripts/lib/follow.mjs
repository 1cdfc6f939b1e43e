/** Rebuilds on change, for `npm run dev`: esbuild's and vite's own watchers, one reload at a time. */
import { watchPlatform } from "./bundle.mjs";
import { watchDashboard } from "./dashboard-build.mjs";

/** @returns {Promise<() => Promise<void>>} ends the watching */
export async function follow(stack) {
  const failed = (what) => (message) => console.error(`${now()} ${what}: ${message}`);
  let isFirst = true;
  let reloading = Promise.resolve();
  const reload = async () => {
    const started = Date.now();
    try {
      await stack.reload();
      console.log(`${now()} platform reloaded (${Date.now() - started} ms)`);
    } catch (error) {
      failed("platform")(error.message.split("\n")[0]);
    }
  };
  const stopPlatform = await watchPlatform(
    stack.main,
    () => {
      // The stack was built a moment ago; the watcher's first build is the same.
      if (!isFirst) reloading = reloading.then(reload);
      isFirst = false;
    },
    failed("platform"),
  );
  const stopDashboard = await watchDashboard(
    (ms) => console.log(`${now()} dashboard rebuilt (${ms} ms)`),
    failed("dashboard"),
  );
  return async () => {
    await Promise.all([stopPlatform(), stopDashboard()]);
    await reloading;
  };
}

const now = () => new Date().toTimeString().slice(0, 8);
