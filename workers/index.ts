/** The Worker. Wiring only: each handler hands over to the stage that owns the work. */
export default {
  async fetch(): Promise<Response> {
    return new Response("not built yet", { status: 503 });
  },
};
