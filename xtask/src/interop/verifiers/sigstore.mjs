#!/usr/bin/env node
// `sigstore-js KEY DIGEST BUNDLE...`: whether one of the bundles is a statement about that manifest which the key has signed.
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { bundleFromJSON } from "@sigstore/bundle";
import { Verifier, toSignedEntity } from "@sigstore/verify";

const [keyFile, digest, ...files] = process.argv.slice(2);
const publicKey = createPublicKey(readFileSync(keyFile));
// A key of one's own is in no certificate, and what it signs in no log of Sigstore.
const verifier = new Verifier(
  {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    publicKey: () => ({ publicKey, validFor: () => true }),
  },
  { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 },
);

let proven = 0;
for (const file of files) {
  try {
    const bundle = bundleFromJSON(JSON.parse(readFileSync(file, "utf8")));
    verifier.verify(toSignedEntity(bundle));
    const statement = JSON.parse(bundle.content.dsseEnvelope.payload.toString());
    if (!statement.subject.some((subject) => `sha256:${subject.digest.sha256}` === digest)) {
      throw new Error("it is about another artifact");
    }
    console.log(statement.predicateType);
    proven += 1;
  } catch (error) {
    console.error(`${file}: ${error.message}`);
  }
}
process.exitCode = proven > 0 ? 0 : 1;
