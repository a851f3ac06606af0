// The chapter's improved worker as its page describes it: plain Node.js with the AWS SDK, which asks for index 0, 1, 2, ...
// until one is not there.

import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";

const { TABLE_NAME, BATCH_ID = "batch", BATCH_SIZE = "10", ITEM_SECONDS = "30" } = process.env;
const size = Number(BATCH_SIZE);
const dynamodb = new DynamoDBClient();

const key = (index) => ({ BatchId: { S: BATCH_ID }, ItemIndex: { N: String(index) } });

async function continueAt() {
  for (let index = 0; ; index += 1) {
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: TABLE_NAME, Key: key(index), ConsistentRead: true }));
    if (Item === undefined) return index;
  }
}

/** The lab's work: how many primes there are in the stretch of ten thousand numbers that the item stands for. */
function primes(index) {
  let count = 0;
  for (let number = Math.max(2, index * 10_000); number < (index + 1) * 10_000; number += 1) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor !== 0) divisor += 1;
    if (divisor * divisor > number) count += 1;
  }
  return count;
}

const start = await continueAt();
console.log(start > 0 ? `Continuing at ${start}` : "Starting at 0");
for (let index = start; index < size; index += 1) {
  const result = primes(index);
  await sleep(Number(ITEM_SECONDS) * 1000);
  await dynamodb.send(new PutItemCommand({
    TableName: TABLE_NAME,
    Item: { ...key(index), Result: { S: String(result) }, WrittenAt: { S: new Date().toISOString() } },
  }));
  console.log(`Successfully PUT item ${index} out of ${size} into DDB`);
}
