// npm's smtp-server: one listener for each `address=name` of HOSTS.
const { readFileSync } = require('node:fs');
const { SMTPServer } = require('smtp-server');

const [key, cert] = [process.env.KEY, process.env.CERT].map((path) => readFileSync(path));
for (const pair of process.env.HOSTS.split(' ')) {
    const [address, name] = pair.split('=');
    new SMTPServer({ name, key, cert, authOptional: true, disableReverseLookup: true }).listen(25, address);
}
