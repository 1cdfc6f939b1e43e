/** The frame: router, header, global shortcuts, and what to show while nobody is logged in. */

import { useEffect, useState } from "preact/hooks";
import { ErrorBoundary, LocationProvider, lazy, Route, Router, useLocation } from "preact-iso";
import { Header } from "./components/header.tsx";
import { HelpDialog, openHelp } from "./components/help.tsx";
import { ErrorState, Progress } from "./components/states.tsx";
import { Toasts } from "./components/toasts.tsx";
import { useShortcuts } from "./state/keys.ts";
import { bindRouter, navigate, path, query, withRange } from "./state/location.ts";
import { asFailure } from "./state/resource.ts";
import { boot, bootError, session } from "./state/session.ts";
import { toggleTheme } from "./state/theme.ts";

const LogIn = lazy(() => import("./pages/login.tsx"));
const Overview = lazy(() => import("./pages/overview.tsx"));
const Worker = lazy(() => import("./pages/worker.tsx"));
const Issues = lazy(() => import("./pages/issues.tsx"));
const Issue = lazy(() => import("./pages/issue.tsx"));
const Rollouts = lazy(() => import("./pages/rollouts.tsx"));
const Rollout = lazy(() => import("./pages/rollout.tsx"));
const Live = lazy(() => import("./pages/live.tsx"));
const Explore = lazy(() => import("./pages/explore.tsx"));
const Invocation = lazy(() => import("./pages/invocation.tsx"));
const Integrations = lazy(() => import("./pages/integrations.tsx"));
const IntegrationSetup = lazy(() => import("./pages/integration-setup.tsx"));
const Destination = lazy(() => import("./pages/destination.tsx"));
const Resource = lazy(() => import("./pages/resource.tsx"));
const Connections = lazy(() => import("./pages/connections.tsx"));
const Status = lazy(() => import("./pages/status.tsx"));
const Settings = lazy(() => import("./pages/settings.tsx"));

function LocationBridge() {
  const location = useLocation();
  bindRouter(location.route);
  // During render, so that pages never see the parameters of the page before.
  if (path.peek() !== location.path) path.value = location.path;
  const params = location.query;
  if (JSON.stringify(query.peek()) !== JSON.stringify(params)) query.value = params;
  return null;
}

function NotFound() {
  return (
    <div class="state">
      <h2>There is no such page</h2>
      <a class="btn" href="/">
        Overview
      </a>
    </div>
  );
}

function Pages() {
  const [loading, setLoading] = useState(false);
  useShortcuts({
    "g o": () => navigate(withRange("/")),
    "g i": () => navigate(withRange("/issues")),
    "g r": () => navigate(withRange("/rollouts")),
    "g l": () => navigate(withRange("/live")),
    "g e": () => navigate(withRange("/explore")),
    "g n": () => navigate(withRange("/integrations")),
    "g t": () => navigate(withRange("/status")),
    "g s": () => navigate(withRange("/settings")),
    "/": () => navigate(withRange("/explore?focus=query")),
    t: toggleTheme,
    "?": openHelp,
  });
  useEffect(() => document.getElementById("main")?.focus({ preventScroll: true }), [path.value]);
  return (
    <div class="shell">
      <Header />
      <main id="main" tabIndex={-1}>
        <Progress show={loading} />
        <Router onLoadStart={() => setLoading(true)} onLoadEnd={() => setLoading(false)}>
          <Route path="/" component={Overview} />
          <Route path="/workers/:script" component={Worker} />
          <Route path="/issues" component={Issues} />
          <Route path="/issues/:id" component={Issue} />
          <Route path="/rollouts" component={Rollouts} />
          <Route path="/rollouts/:id" component={Rollout} />
          <Route path="/live" component={Live} />
          <Route path="/explore" component={Explore} />
          <Route path="/invocations/:id" component={Invocation} />
          <Route path="/integrations" component={Integrations} />
          <Route path="/integrations/workers" component={Connections} />
          <Route path="/integrations/new/:id" component={IntegrationSetup} />
          <Route path="/integrations/d/:id" component={Destination} />
          <Route path="/integrations/d/:id/edit" component={IntegrationSetup} />
          <Route path="/integrations/r/:id" component={Resource} />
          <Route path="/status" component={Status} />
          <Route path="/settings/:tab?" component={Settings} />
          <Route default component={NotFound} />
        </Router>
      </main>
      <Toasts />
      <HelpDialog />
    </div>
  );
}

function Gate() {
  useEffect(() => void boot(), []);
  if (bootError.value !== undefined) return <ErrorState failure={bootError.value} retry={() => void boot()} />;
  if (session.value === undefined) return <Progress show />;
  if (path.value === "/login" || session.value === null) return <LogIn />;
  return <Pages />;
}

function Crash({ error }: { error: unknown }) {
  return <ErrorState failure={asFailure(error)} retry={() => window.location.reload()} />;
}

export function App() {
  const [error, setError] = useState<unknown>();
  if (error !== undefined) return <Crash error={error} />;
  return (
    <LocationProvider>
      <LocationBridge />
      <ErrorBoundary onError={setError}>
        <Gate />
      </ErrorBoundary>
    </LocationProvider>
  );
}
