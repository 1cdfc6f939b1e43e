/** A small observed Worker: one log line an invocation, so each makes two events. */
export default {
  fetch(request) {
    console.log("seen", { path: new URL(request.url).pathname });
    return new Response("ok");
  },
};
