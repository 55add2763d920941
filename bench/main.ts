import { benchCompile } from './compile.ts';
import { print } from './report.ts';

print('Compile', benchCompile());
