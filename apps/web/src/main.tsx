import { createDOMRenderer, RendererProvider } from '@griffel/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import './app/app.css';

const root = document.getElementById('root');
if (!root) throw new Error('the page has no place for the app');

// The policy of the page takes styles with this nonce alone; Griffel puts it on what it inserts.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
const renderer = createDOMRenderer(document, { styleElementAttributes: { nonce } });

createRoot(root).render(
  <StrictMode>
    <RendererProvider renderer={renderer}><App /></RendererProvider>
  </StrictMode>,
);
