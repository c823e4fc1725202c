// The page of `wgrad watch`. All that it asks for comes from the server that it came from.
import { render } from 'preact';
import '../../report/base.css';
import 'uplot/dist/uPlot.min.css';
import './watch.css';
import { App } from './app.tsx';

render(<App />, document.body);
