import { createDOMRenderer, RendererProvider } from '@griffel/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import './app/app.css';

const root = document.getElementById('root');
if (!root) throw new Error('the page has no place for the app');

// After an upgrade an open tab asks for parts that are not there any more: loading the page anew brings the new ones. Once,
// so that a part that is really missing shows its error.
window.addEventListener('vite:preloadError', (event) => {
  const last = Number(sessionStorage.getItem('gatehouse.reloaded') ?? '0');
  if (performance.timeOrigin - last < 60_000) return;
  sessionStorage.setItem('gatehouse.reloaded', String(Date.now()));
  event.preventDefault();
  window.location.reload();
});

// The policy of the page takes styles with this nonce alone; Griffel puts it on what it inserts.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
const renderer = createDOMRenderer(document, { styleElementAttributes: { nonce } });

createRoot(root).render(
  <StrictMode>
    <RendererProvider renderer={renderer}><App /></RendererProvider>
  </StrictMode>,
);
