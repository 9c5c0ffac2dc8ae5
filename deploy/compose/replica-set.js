// Makes the MongoDB servers of MEMBERS one replica set: founds it on the first, then adds who is missing, one at a time.
// What is there stays, so it may run at every start. For mongosh --nodb.
const members = process.env.MEMBERS.split(",");
const PATIENCE_MS = 120_000;

function until(what, look) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const found = look();
      if (found) return found;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`);
    sleep(250);
  }
}

const ask = (host) => new Mongo(`mongodb://${host}/?directConnection=true&serverSelectionTimeoutMS=2000`).getDB("admin");

function establish(first) {
  try {
    first.runCommand({ replSetGetStatus: 1 });
  } catch (error) {
    if (error.codeName !== "NotYetInitialized") throw error;
    first.runCommand({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: members[0] }] } });
    print(`founded on ${members[0]}`);
  }
}

function add(primary, host) {
  const { config } = primary.runCommand({ replSetGetConfig: 1 });
  if (config.members.some((one) => one.host === host)) return;
  const fresh = { _id: Math.max(...config.members.map((one) => one._id)) + 1, host };
  primary.runCommand({ replSetReconfig: { ...config, version: config.version + 1, members: [...config.members, fresh] } });
  until(`${host} has caught up`, () => {
    const status = primary.runCommand({ replSetGetStatus: 1 });
    return ["PRIMARY", "SECONDARY"].includes(status.members.find((one) => one.name === host)?.stateStr);
  });
  print(`added ${host}`);
}

const first = until(`${members[0]} answers`, () => {
  const server = ask(members[0]);
  return server.runCommand({ ping: 1 }).ok && server;
});
establish(first);
const primary = ask(until("there is a primary", () => first.runCommand({ hello: 1 }).primary));
for (const host of members) add(primary, host);
print(`replica set of ${members.join(", ")}`);
