/* SPDX-License-Identifier: Apache-2.0
 *
 * The one table of errors: X(name, code, retriable, text). Kafka's codes with Kafka's names and flags (checked against
 * tests/vectors/kafka_protocol_errors.csv), ours from -1000 down, so that ours are never a broker's.
 */
#ifndef KAFKASIM_ERROR_TABLE_H
#define KAFKASIM_ERROR_TABLE_H

/* clang-format off */
#define KAFKA_ERROR_TABLE_BROKER(X) \
    X(UNKNOWN_SERVER_ERROR, -1, 0, "the broker failed in a way it has no code for; look at the broker's own log") \
    X(OFFSET_OUT_OF_RANGE, 1, 0, "the asked offset lies outside the partition's log; start from its first or last offset") \
    X(CORRUPT_MESSAGE, 2, 1, "the batch is damaged: its size or checksum is wrong") \
    X(UNKNOWN_TOPIC_OR_PARTITION, 3, 1, "this broker does not know the topic or partition; it may be new, deleted or misspelt") \
    X(INVALID_FETCH_SIZE, 4, 0, "the fetch asked for a size that makes no sense") \
    X(LEADER_NOT_AVAILABLE, 5, 1, "the partition has no leader just now; an election is under way") \
    X(NOT_LEADER_OR_FOLLOWER, 6, 1, "this broker no longer leads the partition; refresh the metadata and ask the new leader") \
    X(REQUEST_TIMED_OUT, 7, 1, "the broker did not finish in the time the request allowed; the work may still be done") \
    X(BROKER_NOT_AVAILABLE, 8, 0, "the broker is not available") \
    X(REPLICA_NOT_AVAILABLE, 9, 1, "the replica is not on this broker just now") \
    X(MESSAGE_TOO_LARGE, 10, 0, "the batch is larger than the topic's max.message.bytes allows") \
    X(STALE_CONTROLLER_EPOCH, 11, 0, "the controller's epoch is older than one already seen; another controller has taken over") \
    X(OFFSET_METADATA_TOO_LARGE, 12, 0, "the metadata text sent with the offset is longer than offset.metadata.max.bytes") \
    X(NETWORK_EXCEPTION, 13, 1, "the connection broke before an answer came") \
    X(COORDINATOR_LOAD_IN_PROGRESS, 14, 1, "the coordinator is still loading the group or transaction; ask again shortly") \
    X(COORDINATOR_NOT_AVAILABLE, 15, 1, "no coordinator can be named yet; ask again shortly") \
    X(NOT_COORDINATOR, 16, 1, "this broker does not coordinate that group or transactional id; find the coordinator again") \
    X(INVALID_TOPIC_EXCEPTION, 17, 0, "the topic name is not legal, or the topic is internal and not for clients to write") \
    X(RECORD_LIST_TOO_LARGE, 18, 0, "the batch is larger than a log segment can be (segment.bytes)") \
    X(NOT_ENOUGH_REPLICAS, 19, 1, "fewer replicas are in sync than min.insync.replicas asks; nothing was written") \
    X(NOT_ENOUGH_REPLICAS_AFTER_APPEND, 20, 1, "the batch was written, but then fewer replicas were in sync than min.insync.replicas asks") \
    X(INVALID_REQUIRED_ACKS, 21, 0, "required acks must be -1 (all), 0 (none) or 1 (leader)") \
    X(ILLEGAL_GENERATION, 22, 0, "the group has moved on to another generation; join it again") \
    X(INCONSISTENT_GROUP_PROTOCOL, 23, 0, "no assignor or protocol type is common to this member and the rest of the group") \
    X(INVALID_GROUP_ID, 24, 0, "the group id is empty or not legal") \
    X(UNKNOWN_MEMBER_ID, 25, 0, "the group does not know this member; it was removed or never joined") \
    X(INVALID_SESSION_TIMEOUT, 26, 0, "the session timeout is outside group.min.session.timeout.ms and group.max.session.timeout.ms") \
    X(REBALANCE_IN_PROGRESS, 27, 0, "the group is rebalancing; join it again") \
    X(INVALID_COMMIT_OFFSET_SIZE, 28, 0, "the offset could not be stored, because its record is too large") \
    X(TOPIC_AUTHORIZATION_FAILED, 29, 0, "not allowed to use this topic") \
    X(GROUP_AUTHORIZATION_FAILED, 30, 0, "not allowed to use this group") \
    X(CLUSTER_AUTHORIZATION_FAILED, 31, 0, "not allowed to do this on the cluster") \
    X(INVALID_TIMESTAMP, 32, 0, "the record's timestamp is outside what the topic accepts") \
    X(UNSUPPORTED_SASL_MECHANISM, 33, 0, "the broker does not offer that SASL mechanism") \
    X(ILLEGAL_SASL_STATE, 34, 0, "this request is not possible at this point of the SASL exchange") \
    X(UNSUPPORTED_VERSION, 35, 0, "the broker does not support this version of the request") \
    X(TOPIC_ALREADY_EXISTS, 36, 0, "a topic of that name exists already") \
    X(INVALID_PARTITIONS, 37, 0, "the number of partitions must be positive, and may only grow") \
    X(INVALID_REPLICATION_FACTOR, 38, 0, "the replication factor must be positive, and not above the number of brokers") \
    X(INVALID_REPLICA_ASSIGNMENT, 39, 0, "the replica assignment is not consistent: wrong brokers, duplicates or unequal lengths") \
    X(INVALID_CONFIG, 40, 0, "a setting is unknown or its value is not allowed") \
    X(NOT_CONTROLLER, 41, 1, "this broker is not the controller") \
    X(INVALID_REQUEST, 42, 0, "the request contradicts itself or lacks something; the broker's message says what") \
    X(UNSUPPORTED_FOR_MESSAGE_FORMAT, 43, 0, "the topic's message format is too old for this request") \
    X(POLICY_VIOLATION, 44, 0, "the request breaks a rule that the cluster's operator has set") \
    X(OUT_OF_ORDER_SEQUENCE_NUMBER, 45, 0, "a sequence number was skipped: an earlier batch of this producer is missing") \
    X(DUPLICATE_SEQUENCE_NUMBER, 46, 0, "this batch was stored already") \
    X(INVALID_PRODUCER_EPOCH, 47, 0, "another producer with the same id has a newer epoch") \
    X(INVALID_TXN_STATE, 48, 0, "the transaction is not in a state that allows this") \
    X(INVALID_PRODUCER_ID_MAPPING, 49, 0, "the producer id does not belong to this transactional id") \
    X(INVALID_TRANSACTION_TIMEOUT, 50, 0, "the transaction timeout is longer than transaction.max.timeout.ms") \
    X(CONCURRENT_TRANSACTIONS, 51, 1, "an earlier transaction of this producer is still being completed; try again shortly") \
    X(TRANSACTION_COORDINATOR_FENCED, 52, 0, "another transaction coordinator has taken over") \
    X(TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 53, 0, "not allowed to use this transactional id") \
    X(SECURITY_DISABLED, 54, 0, "security features are switched off on this broker") \
    X(OPERATION_NOT_ATTEMPTED, 55, 0, "not attempted, because another part of the same request failed") \
    X(KAFKA_STORAGE_ERROR, 56, 1, "the broker's disk failed while it used the log") \
    X(LOG_DIR_NOT_FOUND, 57, 0, "no such log directory on this broker") \
    X(SASL_AUTHENTICATION_FAILED, 58, 0, "the user could not be authenticated") \
    X(UNKNOWN_PRODUCER_ID, 59, 0, "the broker remembers nothing of this producer; its records may have been deleted") \
    X(REASSIGNMENT_IN_PROGRESS, 60, 0, "the partition's replicas are being moved already") \
    X(DELEGATION_TOKEN_AUTH_DISABLED, 61, 0, "delegation tokens are switched off") \
    X(DELEGATION_TOKEN_NOT_FOUND, 62, 0, "no such delegation token") \
    X(DELEGATION_TOKEN_OWNER_MISMATCH, 63, 0, "the delegation token belongs to somebody else") \
    X(DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, 64, 0, "delegation tokens cannot be asked for over this kind of connection") \
    X(DELEGATION_TOKEN_AUTHORIZATION_FAILED, 65, 0, "not allowed to use this delegation token") \
    X(DELEGATION_TOKEN_EXPIRED, 66, 0, "the delegation token has expired") \
    X(INVALID_PRINCIPAL_TYPE, 67, 0, "this kind of principal is not supported") \
    X(NON_EMPTY_GROUP, 68, 0, "the group still has members; stop them first") \
    X(GROUP_ID_NOT_FOUND, 69, 0, "there is no group of that id") \
    X(FETCH_SESSION_ID_NOT_FOUND, 70, 1, "the broker has forgotten this fetch session; start a new one") \
    X(INVALID_FETCH_SESSION_EPOCH, 71, 1, "the fetch session's epoch is not the one expected; start a new one") \
    X(LISTENER_NOT_FOUND, 72, 1, "the leader has no listener of the name the client came by") \
    X(TOPIC_DELETION_DISABLED, 73, 0, "deleting topics is switched off (delete.topic.enable)") \
    X(FENCED_LEADER_EPOCH, 74, 1, "the leader epoch in the request is older than the broker's; refresh the metadata") \
    X(UNKNOWN_LEADER_EPOCH, 75, 1, "the leader epoch in the request is newer than the broker's; ask again shortly") \
    X(UNSUPPORTED_COMPRESSION_TYPE, 76, 0, "the compression codec is not allowed by this request version or by this broker") \
    X(STALE_BROKER_EPOCH, 77, 0, "the broker's epoch is not its present one; it has been restarted") \
    X(OFFSET_NOT_AVAILABLE, 78, 1, "the new leader does not know yet how far the log is committed; ask again shortly") \
    X(MEMBER_ID_REQUIRED, 79, 0, "join again with the member id in the answer") \
    X(PREFERRED_LEADER_NOT_AVAILABLE, 80, 1, "the preferred leader cannot lead just now") \
    X(GROUP_MAX_SIZE_REACHED, 81, 0, "the group has as many members as group.max.size allows") \
    X(FENCED_INSTANCE_ID, 82, 0, "another member with the same group instance id has taken this one's place") \
    X(ELIGIBLE_LEADERS_NOT_AVAILABLE, 83, 1, "none of the replicas that may lead is available") \
    X(ELECTION_NOT_NEEDED, 84, 1, "no election is needed; the wanted replica leads already") \
    X(NO_REASSIGNMENT_IN_PROGRESS, 85, 0, "no reassignment of this partition is under way") \
    X(GROUP_SUBSCRIBED_TO_TOPIC, 86, 0, "offsets of a topic that the group subscribes to cannot be deleted") \
    X(INVALID_RECORD, 87, 0, "a record or batch breaks the topic's rules; the broker's message says which") \
    X(UNSTABLE_OFFSET_COMMIT, 88, 1, "a transaction that commits offsets of this group has not ended yet; ask again shortly") \
    X(THROTTLING_QUOTA_EXCEEDED, 89, 1, "the quota is used up; try again later") \
    X(PRODUCER_FENCED, 90, 0, "a newer producer with the same transactional id has taken over") \
    X(RESOURCE_NOT_FOUND, 91, 0, "there is no such resource") \
    X(DUPLICATE_RESOURCE, 92, 0, "the resource is named twice or exists already") \
    X(UNACCEPTABLE_CREDENTIAL, 93, 0, "the credential does not meet the rules") \
    X(INCONSISTENT_VOTER_SET, 94, 0, "the voters named differ from those known to either side") \
    X(INVALID_UPDATE_VERSION, 95, 0, "the version of the update is not legal") \
    X(FEATURE_UPDATE_FAILED, 96, 0, "the features could not be updated; the broker's message says why") \
    X(PRINCIPAL_DESERIALIZATION_FAILURE, 97, 0, "the forwarded principal could not be read") \
    X(SNAPSHOT_NOT_FOUND, 98, 0, "there is no such snapshot") \
    X(UNKNOWN_TOPIC_ID, 100, 1, "this broker knows no topic of that id; refresh the metadata") \
    X(DUPLICATE_BROKER_REGISTRATION, 101, 0, "another broker is registered under that id") \
    X(BROKER_ID_NOT_REGISTERED, 102, 0, "no broker of that id is registered") \
    X(INCONSISTENT_TOPIC_ID, 103, 1, "the topic id does not match the topic that the log belongs to; refresh the metadata") \
    X(INCONSISTENT_CLUSTER_ID, 104, 0, "the cluster id in the request is not this cluster's") \
    X(TRANSACTIONAL_ID_NOT_FOUND, 105, 0, "there is no such transactional id") \
    X(FETCH_SESSION_TOPIC_ID_ERROR, 106, 1, "a fetch session cannot change between topic names and topic ids") \
    X(INELIGIBLE_REPLICA, 107, 0, "the replica may not be in the in-sync set now") \
    X(NEW_LEADER_ELECTED, 108, 0, "the change has led to a new leader for the partition") \
    X(OFFSET_MOVED_TO_TIERED_STORAGE, 109, 0, "the asked offset has been moved to tiered storage") \
    X(FENCED_MEMBER_EPOCH, 110, 0, "the member's epoch is too old or too new; join the group again with epoch 0") \
    X(UNRELEASED_INSTANCE_ID, 111, 0, "another live member holds this instance id") \
    X(UNSUPPORTED_ASSIGNOR, 112, 0, "the group's coordinator knows no such assignor") \
    X(STALE_MEMBER_EPOCH, 113, 0, "the member's epoch is behind; wait for the next heartbeat's answer and try again") \
    X(MISMATCHED_ENDPOINT_TYPE, 114, 0, "the request came to the wrong kind of endpoint") \
    X(UNSUPPORTED_ENDPOINT_TYPE, 115, 0, "this kind of endpoint is not supported") \
    X(UNKNOWN_CONTROLLER_ID, 116, 0, "no controller of that id is known") \
    X(UNKNOWN_SUBSCRIPTION_ID, 117, 0, "the telemetry was sent for a subscription that does not exist") \
    X(TELEMETRY_TOO_LARGE, 118, 0, "the telemetry is larger than the broker accepts") \
    X(INVALID_REGISTRATION, 119, 0, "the broker's registration is not valid") \
    X(TRANSACTION_ABORTABLE, 120, 0, "the transaction cannot go on; abort it") \
    X(INVALID_RECORD_STATE, 121, 0, "the record is not in a state that allows this acknowledgement") \
    X(SHARE_SESSION_NOT_FOUND, 122, 1, "the broker has no such share session; start a new one") \
    X(INVALID_SHARE_SESSION_EPOCH, 123, 1, "the share session's epoch is not the one expected; start a new one") \
    X(FENCED_STATE_EPOCH, 124, 0, "the share coordinator refused, because the group's state epoch is old") \
    X(INVALID_VOTER_KEY, 125, 0, "the voter's key does not match the key it is known by") \
    X(DUPLICATE_VOTER, 126, 0, "this voter belongs to the quorum already") \
    X(VOTER_NOT_FOUND, 127, 0, "no such voter belongs to the quorum") \
    X(INVALID_REGULAR_EXPRESSION, 128, 0, "the regular expression cannot be parsed")

#define KAFKA_ERROR_TABLE_CLIENT(X) \
    X(CLOSED, -1001, 0, "it was closed; make a new one (kafka-go: closed pipe)") \
    X(EOF, -1002, 0, "the reader was closed and everything it had queued was delivered") \
    X(UNEXPECTED_EOF, -1003, 1, "the connection ended in the middle of an answer") \
    X(GROUP_CLOSED, -1004, 0, "the consumer group was closed") \
    X(GENERATION_ENDED, -1005, 0, "this generation is over; take the next one") \
    X(NEEDS_GROUP, -1006, 0, "only a reader with a group_id can do this; set group_id") \
    X(NOT_WITH_GROUP, -1007, 0, "a reader with a group_id cannot do this; the group decides the offsets") \
    X(CANCELED, -1008, 0, "the context was cancelled") \
    X(DEADLINE_EXCEEDED, -1009, 1, "the context's deadline passed; what was asked may still happen") \
    X(NODE_CRASHED, -1010, 0, "this client process has crashed; its calls send nothing any more") \
    X(NOTHING_CAN_WAKE, -1011, 0, "nothing left to happen can wake this call; the detail says who waits for what, since when") \
    X(BUSY_LOOP, -1012, 0, "a loop that asks without end; the detail names it and the remedy") \
    X(INVALID_CONFIG_VALUE, -1013, 0, "a config field is wrong; the detail names the field, the value and what is allowed") \
    X(INVALID_ARGUMENT, -1014, 0, "an argument is wrong; the detail names it and what is allowed") \
    X(WRONG_THREAD, -1015, 0, "a simulator belongs to the thread that made it; call from there") \
    X(WRONG_PLACE, -1016, 0, "this call is not allowed inside a task or callback; the detail says where to call it") \
    X(WRITE_ERRORS, -1017, 0, "some messages were not written; the per-message errors say which and why") \
    X(CONNECTION_REFUSED, -1018, 1, "nobody listens at that address") \
    X(CONNECTION_RESET, -1019, 1, "the connection was reset; a request in flight may or may not have been applied") \
    X(TOPIC_NOT_CACHED, -1020, 0, "topic not found in the cached cluster layout") \
    X(PARTITION_NOT_CACHED, -1021, 0, "topic partition not found in the cached cluster layout") \
    X(LEADER_NOT_CACHED, -1022, 0, "the topic partition has no leader in the cached cluster layout") \
    X(USER, -1023, 0, "a function given by the application failed") \
    X(IO, -1024, 0, "a file could not be read or written; the detail names it") \
    X(LIMIT, -1025, 0, "the limit of a run was reached before what was waited for; the detail says what never came") \
    X(UNSUPPORTED, -1026, 0, "not supported by the simulator yet; the detail says what to do instead") \
    X(RUN_ENDED, -1027, 0, "the simulator is being freed") \
    X(COMMIT_FAILED, -1028, 0, "this member is out of its group, so its commit cannot be stored: poll to join again") \
    X(NO_OFFSET_FOR_PARTITION, -1029, 0, "nothing is committed for a partition and auto.offset.reset is none")
/* clang-format on */

#endif
