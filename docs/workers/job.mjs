// The lab's batch job in JavaScript: goes on where it stopped, and does nothing twice.

import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";

const { TABLE_NAME, BATCH_ID = "batch", BATCH_SIZE = "10", ITEM_SECONDS = "30" } = process.env;
const size = Number(BATCH_SIZE);
const dynamodb = new DynamoDBClient();

/** Which task this is; ECS says it at an address of its own. */
async function taskId() {
  const answer = await fetch(`${process.env.ECS_CONTAINER_METADATA_URI_V4}/task`);
  return (await answer.json()).TaskARN.split("/").pop();
}

/** The first index that is not written: one after the highest, by a read that sees every write. */
async function continueAt() {
  const { Items } = await dynamodb.send(new QueryCommand({
    TableName: TABLE_NAME,
    KeyConditionExpression: "BatchId = :batch",
    ExpressionAttributeValues: { ":batch": { S: BATCH_ID } },
    ScanIndexForward: false,
    Limit: 1,
    ConsistentRead: true,
  }));
  return Items.length > 0 ? Number(Items[0].ItemIndex.N) + 1 : 0;
}

/** The work: how many primes there are in the stretch of ten thousand numbers that the item stands for. */
function primes(index) {
  let count = 0;
  for (let number = Math.max(2, index * 10_000); number < (index + 1) * 10_000; number += 1) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor !== 0) divisor += 1;
    if (divisor * divisor > number) count += 1;
  }
  return count;
}

/** Writes the item if nobody has written it: so two copies of this program cannot undo one another's work. */
async function putOnce(index, result) {
  await dynamodb.send(new PutItemCommand({
    TableName: TABLE_NAME,
    Item: {
      BatchId: { S: BATCH_ID },
      ItemIndex: { N: String(index) },
      Result: { S: String(result) },
      TaskId: { S: task },
      WrittenAt: { S: new Date().toISOString() },
    },
    ConditionExpression: "attribute_not_exists(BatchId)",
  }));
}

const task = await taskId();
const start = await continueAt();
console.log(start > 0 ? `Continuing at ${start}` : "Starting at 0");
for (let index = start; index < size; index += 1) {
  const result = primes(index);
  await sleep(Number(ITEM_SECONDS) * 1000);
  try {
    await putOnce(index, result);
  } catch (error) {
    if (error.name !== "ConditionalCheckFailedException") throw error;
    console.error(`Item ${index} is there already: another task owns the batch`);
    process.exit(1);
  }
  console.log(`Successfully PUT item ${index} out of ${size} into DDB`);
}
