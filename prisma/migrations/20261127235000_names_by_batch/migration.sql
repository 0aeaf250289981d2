-- Names are summed up from the rows themselves. A page of a thousand events names some two thousand people and groups: a row
-- for each of them took longer than any index of the log. What is noted as rows come in is only which they are.
CREATE TABLE "log_unnamed" (
    "tenant_id" UUID NOT NULL,
    "batch_id" BIGINT NOT NULL,
    "first_ordinal" INTEGER NOT NULL,
    "last_ordinal" INTEGER NOT NULL,
    "from_at" TIMESTAMPTZ(6) NOT NULL,
    "to_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "log_unnamed_pkey" PRIMARY KEY ("tenant_id","batch_id","first_ordinal")
);

-- Who and what an event names.
CREATE FUNCTION names_of(e audit_event) RETURNS TABLE (role text, key text, name text) LANGUAGE sql IMMUTABLE AS $$
  SELECT n.role, n.key, coalesce(n.name, n.key)
  FROM (VALUES
    ('actor', coalesce(e.actor_id, e.actor_name), e.actor_name), ('subject', e.subject_id, e.subject_name),
    ('group', coalesce(e.group_id, e.group_name), e.group_name), ('application', coalesce(e.application_id, e.application_name), e.application_name)) AS n (role, key, name)
  WHERE n.key IS NOT NULL
$$;

-- Of rows that are not summed up. Not in SQL, which would become part of the query: it then opens every month of the log,
-- though as a rule there is nothing to look at.
CREATE FUNCTION names_of_batch(u log_unnamed) RETURNS TABLE (role text, key text, name text) LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT named.role, named.key, named.name FROM audit_event AS e, names_of(e) AS named
    WHERE e.tenant_id = u.tenant_id AND e.batch_id = u.batch_id AND e.ordinal BETWEEN u.first_ordinal AND u.last_ordinal AND e.activity_at BETWEEN u.from_at AND u.to_at;
END
$$;

-- As before: once a statement and in its transaction, whatever way rows come in.
CREATE OR REPLACE FUNCTION count_audit_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_count_delta (tenant_id, kind, result, source, bucket, events)
    SELECT tenant_id, kind, result, source, date_bin('15 minutes', activity_at, '2000-01-01T00:00:00Z'), count(*) FROM fresh GROUP BY 1, 2, 3, 4, 5;
  INSERT INTO log_unnamed AS u (tenant_id, batch_id, first_ordinal, last_ordinal, from_at, to_at)
    SELECT tenant_id, batch_id, min(ordinal), max(ordinal), min(activity_at), max(activity_at) FROM fresh GROUP BY 1, 2
    -- Rows of a batch come by one statement; but for those that an administrator puts back.
    ON CONFLICT (tenant_id, batch_id, first_ordinal) DO UPDATE SET last_ordinal = greatest(u.last_ordinal, excluded.last_ordinal), from_at = least(u.from_at, excluded.from_at), to_at = greatest(u.to_at, excluded.to_at);
  RETURN NULL;
END
$$;

INSERT INTO log_name AS n (tenant_id, role, key, name, events) SELECT tenant_id, role, key, name, sum(events) FROM log_name_delta GROUP BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, role, key, name) DO UPDATE SET events = n.events + excluded.events;
DELETE FROM log_name WHERE events = 0;
DROP TABLE log_name_delta;
