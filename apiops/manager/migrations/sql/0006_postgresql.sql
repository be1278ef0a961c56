-- Former secrets on PostgreSQL: whoever replaces or removes a sealed value, the database keeps it.
--
-- No entry is made of it: the change of the sealed row has one. Without a ticket nothing is added,
-- re-sealed or removed.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE FUNCTION sealed_kept() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE t audit_ticket := audit_ticket_here();
BEGIN
  DELETE FROM former_secret f
  WHERE f.resource = OLD.resource AND f.pointer = OLD.pointer AND f.fingerprint = OLD.fingerprint;
  INSERT INTO former_secret (
    resource, pointer, fingerprint, kind, environment, kid, token, run, at
  )
  SELECT
    OLD.resource, OLD.pointer, OLD.fingerprint, r.kind, OLD.environment, OLD.kid, OLD.token,
    t.run, t.at
  FROM resource r WHERE r.id = OLD.resource;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- Only the key that seals it changes.
CREATE FUNCTION former_secret_resealed() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF to_jsonb(NEW) - 'kid' - 'token' IS DISTINCT FROM to_jsonb(OLD) - 'kid' - 'token' THEN
    RAISE EXCEPTION 'a former secret is sealed anew and never changed' USING ERRCODE = 'AU002';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER sealed_kept_when_updated BEFORE UPDATE ON sealed
FOR EACH ROW WHEN (
  OLD.fingerprint IS DISTINCT FROM NEW.fingerprint
  OR OLD.environment IS DISTINCT FROM NEW.environment
)
EXECUTE FUNCTION sealed_kept();

CREATE TRIGGER sealed_kept_when_deleted BEFORE DELETE ON sealed
FOR EACH ROW EXECUTE FUNCTION sealed_kept();

CREATE TRIGGER former_secret_ticketed BEFORE INSERT OR UPDATE OR DELETE ON former_secret
FOR EACH ROW EXECUTE FUNCTION audit_demand_ticket();

CREATE TRIGGER former_secret_resealed BEFORE UPDATE ON former_secret
FOR EACH ROW EXECUTE FUNCTION former_secret_resealed();

CREATE TRIGGER former_secret_never_truncated BEFORE TRUNCATE ON former_secret
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
