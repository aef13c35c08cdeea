// Loaded before a test script: it tells when the script came to its end.
//
// The last line that it prints is a word that nobody can guess, with the exit code. Only the
// script may end the process: by process.exit in its own text, or by coming to its end, if nothing
// in it waits. A promise of the repository that never settles would let Node end with 0.
// Without the word's file, as in a process that the script starts, this does nothing.
'use strict';

(() => {
  const fs = require('fs');
  const script = `${__dirname}/script.js`;
  const mine = process.execArgv.indexOf(__filename);
  if (mine > 0) process.execArgv.splice(mine - 1, 2); // so that no child gets it
  let word;
  try {
    word = fs.openSync(`${__dirname}/word`, 'r');
    fs.unlinkSync(`${__dirname}/word`);
  } catch {
    return;
  }
  const { readSync, writeSync } = fs;
  const waits = /\b(async|await|then|Promise|set(Timeout|Immediate|Interval))\b|\.on(ce)?\(/.test(
    fs.readFileSync(script, 'utf8')
  );
  const { exit, reallyExit } = process;
  let said = null; // what the script itself ends with

  const caller = () => {
    const { prepareStackTrace, stackTraceLimit } = Error;
    const holder = {};
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_, sites) => sites;
    Error.captureStackTrace(holder, ours);
    const [site] = holder.stack;
    Object.assign(Error, { prepareStackTrace, stackTraceLimit });
    return site && site.getFileName();
  };

  const prove = (code) => {
    const line = Buffer.alloc(99);
    const length = readSync(word, line, 0, 99, 0);
    const text = `\x1e${line.toString('latin1', 0, length).trim()} ${code}\n`;
    for (let tries = 0; tries < 1e5; tries += 1) {
      try {
        writeSync(1, text);
        return;
      } catch (error) {
        if (error.code !== 'EAGAIN') return; // otherwise the pipe is full
      }
    }
  };

  const ours = function (...words) {
    const [code] = words;
    if (said === null && caller() === script) {
      const given = code === undefined ? process.exitCode : code;
      said = given === undefined ? 0 : Number(given) & 255;
    }
    exit.apply(process, words);
  };
  process.exit = ours;
  process.reallyExit = function (code) {
    if (said !== null && (code & 255) === said && process.exit === ours) prove(said);
    reallyExit.call(process, code);
  };
  process.on('exit', (code) => {
    const main = require.cache[script];
    if (said === null && !waits && main && main.loaded) prove(code);
  });
})();
