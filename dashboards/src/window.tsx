// The frame of every screen.
import { useApp } from './app.js';
import { AlarmsPage } from './pages/alarms.js';
import { FleetPage } from './pages/fleet.js';
import { PostPage } from './pages/post.js';
import { LinkNotice } from './parts/link-chip.js';
import { TopBar } from './parts/top-bar.js';

export function Window() {
  const { texts } = useApp();
  return (
    <>
      <button type="button" class="skip" onClick={focusContent}>
        {texts.value.app.skip}
      </button>
      <TopBar />
      <LinkNotice />
      <main id="content" tabIndex={-1}>
        <Page />
      </main>
    </>
  );
}

/** Screens live behind `#`, so a jump to `#content` would leave the screen. */
function focusContent(): void {
  document.getElementById('content')?.focus();
}

function Page() {
  const { route, texts } = useApp();
  const current = route.value;
  if (current.page === 'fleet') return <FleetPage />;
  if (current.page === 'alarms') return <AlarmsPage />;
  if (current.page === 'post') return <PostPage key={current.post} post={current.post} />;
  return <p class="waiting">{texts.value.app.notFound}</p>;
}
