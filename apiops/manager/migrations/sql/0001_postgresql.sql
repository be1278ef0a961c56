-- The audit walls on PostgreSQL.
--
-- Every changed row of a governed table makes its own audit entry here, in the database, in the
-- same transaction. The entry's who and why come from the ticket that begin_audit() wrote for
-- this transaction; a write without one fails with SQLSTATE AU001. The functions run with their
-- owner's rights and with a pinned search_path, so that a role which owns nothing can write
-- resources but can neither write the log nor disturb it.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- One row: the ticket of the transaction that holds the audit lock. Unlogged, since after a crash
-- no transaction is left that it could belong to.
CREATE UNLOGGED TABLE audit_ticket (
  xid xid8 PRIMARY KEY,
  began timestamptz NOT NULL,
  at text NOT NULL,
  actor text NOT NULL,
  principal text NOT NULL,
  tier text NOT NULL,
  reason text NOT NULL,
  run text NOT NULL,
  source text NOT NULL,
  address text NOT NULL
);

-- Opens (or replaces) this transaction's ticket. The lock makes the order of entries the order of
-- commits; whoever holds it may clear the tickets of transactions that are gone.
CREATE FUNCTION begin_audit(
  at text, actor text, principal text, tier text, reason text, run text, source text, address text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1634756979, hashtext(current_schema()));
  DELETE FROM audit_ticket;
  INSERT INTO audit_ticket VALUES (
    pg_current_xact_id(), clock_timestamp(), at, actor, principal, tier, reason, run, source, address
  );
END $$;

-- Transaction ids start anew in a restored cluster, so a ticket counts only if it is also younger
-- than the transaction.
CREATE FUNCTION audit_ticket_here() RETURNS audit_ticket
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE ticket audit_ticket;
BEGIN
  SELECT * INTO ticket FROM audit_ticket t
  WHERE t.xid = pg_current_xact_id_if_assigned() AND t.began >= transaction_timestamp();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a write without an audit ticket' USING ERRCODE = 'AU001';
  END IF;
  RETURN ticket;
END $$;

-- A netstring: how many bytes, then the bytes, so that no two entries have the same encoding.
CREATE FUNCTION audit_net(value text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
  SELECT CASE WHEN value IS NULL THEN '-,' ELSE octet_length(value) || ':' || value || ',' END
$$;

CREATE FUNCTION audit_record(
  action text, kind text, project text, name text, environment text, outcome text,
  before text, after text, note text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  t audit_ticket := audit_ticket_here();
  seq bigint;
  previous text;
  digest text;
  part text;
  body text := E'apiops-audit/1\n';
BEGIN
  SELECT e.seq + 1, e.digest INTO seq, previous FROM audit_entry e ORDER BY e.seq DESC LIMIT 1;
  seq := coalesce(seq, 1);
  previous := coalesce(previous, '');
  FOREACH part IN ARRAY ARRAY[
    seq::text, t.at, t.actor, t.principal, t.tier, action, kind, project, name, environment,
    outcome, before, after, note, t.reason, t.run, t.source, t.address, session_user::text, previous
  ] LOOP
    body := body || audit_net(part);
  END LOOP;
  digest := encode(sha256(convert_to(body, 'UTF8')), 'hex');
  INSERT INTO audit_entry (
    seq, at, actor, principal, tier, action, kind, project, name, environment, outcome,
    before, after, note, reason, run, source, address, login, previous, digest
  ) VALUES (
    seq, t.at, t.actor, t.principal, t.tier, action, kind, project, name, environment, outcome,
    before, after, note, t.reason, t.run, t.source, t.address, session_user::text, previous, digest
  );
END $$;

-- The row as an entry shows it: stored JSON as JSON, sealed tokens and wrapped keys left out.
CREATE FUNCTION audit_image(relation text, r jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
  SELECT CASE WHEN r IS NULL THEN NULL WHEN relation = 'resource' THEN json_build_object(
    'id', r->'id', 'kind', r->'kind', 'project', r->'project', 'name', r->'name',
    'spec', (r->>'spec')::json, 'labels', (r->>'labels')::json, 'protected', r->'protected',
    'digest', r->'digest', 'serial', r->'serial', 'owner', r->'owner',
    'applied', (r->>'applied')::json
  )::text ELSE (r - 'id' - 'token' - 'wrapped')::text END
$$;

CREATE FUNCTION audit_capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  o jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
  n jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
  r jsonb := coalesce(n, o);
  action text;
  kind text := r->>'kind';
  project text := r->>'project';
  name text := r->>'name';
BEGIN
  action := CASE TG_TABLE_NAME
    WHEN 'meta' THEN CASE TG_OP WHEN 'INSERT' THEN 'initialise' ELSE 'configure' END
    WHEN 'resource' THEN
      CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'update' ELSE 'delete' END
    WHEN 'sealed' THEN
      CASE TG_OP WHEN 'INSERT' THEN 'seal' WHEN 'UPDATE' THEN 'reseal' ELSE 'unseal' END
    WHEN 'deployment' THEN CASE
      WHEN n IS NULL THEN CASE WHEN (o->>'active')::boolean THEN 'undeploy' ELSE 'forget' END
      WHEN (n->>'active')::boolean THEN 'deploy' ELSE 'undeploy' END
    WHEN 'applied' THEN 'apply'
    WHEN 'introduction' THEN 'introduce'
    WHEN 'keyring' THEN CASE TG_OP
      WHEN 'INSERT' THEN 'key-create' WHEN 'UPDATE' THEN 'key-update' ELSE 'key-delete' END
  END;
  IF TG_TABLE_NAME IN ('sealed', 'deployment') THEN
    SELECT x.kind, x.project, x.name INTO kind, project, name
    FROM resource x WHERE x.id = r->>'resource';
  ELSIF TG_TABLE_NAME = 'applied' THEN
    project := CASE r->>'unit' WHEN 'system' THEN '' ELSE r->>'unit' END;
  END IF;
  PERFORM audit_record(
    action, kind, project, name, r->>'environment', 'done',
    audit_image(TG_TABLE_NAME, o), audit_image(TG_TABLE_NAME, n), NULL
  );
  RETURN NULL;
END $$;

CREATE FUNCTION audit_demand_ticket() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM audit_ticket_here();
  RETURN coalesce(NEW, OLD);
END $$;

CREATE FUNCTION audit_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'AU002';
END $$;

-- Only audit_record(), called from a trigger, may add an entry.
CREATE FUNCTION audit_entry_from_trigger() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM audit_ticket_here();
  IF pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION 'an audit entry is only written by a change' USING ERRCODE = 'AU002';
  END IF;
  RETURN NEW;
END $$;

-- What happened without changing a row: a denied attempt, the reading of a secret.
CREATE VIEW audit_event AS
SELECT action, kind, project, name, environment, outcome, before, after, note
FROM audit_entry WHERE false;

CREATE FUNCTION audit_event_recorded() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.outcome = 'done' OR NEW.before IS NOT NULL OR NEW.after IS NOT NULL THEN
    RAISE EXCEPTION 'an event cannot claim that a row was changed' USING ERRCODE = 'AU002';
  END IF;
  PERFORM audit_record(
    NEW.action, NEW.kind, NEW.project, NEW.name, NEW.environment, NEW.outcome, NULL, NULL, NEW.note
  );
  RETURN NEW;
END $$;

CREATE TRIGGER audit_event_recorded INSTEAD OF INSERT ON audit_event
FOR EACH ROW EXECUTE FUNCTION audit_event_recorded();

DO $$
DECLARE relation text;
BEGIN
  FOREACH relation IN ARRAY
    ARRAY['meta', 'resource', 'sealed', 'deployment', 'applied', 'introduction', 'keyring']
  LOOP
    EXECUTE format(
      'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %I
       FOR EACH ROW EXECUTE FUNCTION audit_capture()', relation || '_captured', relation);
  END LOOP;
  FOREACH relation IN ARRAY ARRAY['snapshot', 'attachment'] LOOP
    EXECUTE format(
      'CREATE TRIGGER %I BEFORE INSERT OR DELETE ON %I
       FOR EACH ROW EXECUTE FUNCTION audit_demand_ticket()', relation || '_ticketed', relation);
    EXECUTE format(
      'CREATE TRIGGER %I BEFORE UPDATE ON %I
       FOR EACH ROW EXECUTE FUNCTION audit_refuse()', relation || '_never_updated', relation);
  END LOOP;
  FOREACH relation IN ARRAY ARRAY['audit_entry', 'applied', 'introduction'] LOOP
    EXECUTE format(
      'CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I
       FOR EACH ROW EXECUTE FUNCTION audit_refuse()', relation || '_append_only', relation);
  END LOOP;
  FOREACH relation IN ARRAY ARRAY[
    'meta', 'resource', 'sealed', 'deployment', 'applied', 'introduction', 'keyring',
    'snapshot', 'attachment', 'audit_entry'
  ] LOOP
    EXECUTE format(
      'CREATE TRIGGER %I BEFORE TRUNCATE ON %I
       FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', relation || '_never_truncated', relation);
  END LOOP;
END $$;

CREATE TRIGGER meta_never_deleted BEFORE DELETE ON meta
FOR EACH ROW EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER audit_entry_from_trigger BEFORE INSERT ON audit_entry
FOR EACH ROW EXECUTE FUNCTION audit_entry_from_trigger();

REVOKE ALL ON FUNCTION audit_ticket_here() FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_record(text, text, text, text, text, text, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION begin_audit(text, text, text, text, text, text, text, text) FROM PUBLIC;
