-- Access tokens on PostgreSQL: made and revoked with an entry each; nothing else changes, and the
-- hash is in no entry.

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE FUNCTION access_token_image(t access_token) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
  SELECT json_build_object(
    'id', t.id, 'principal', t.principal, 'name', t.name, 'kind', t.kind,
    'scopes', t.scopes::json, 'maker', t.maker, 'created', t.created, 'expires', t.expires,
    'environment', t.environment, 'repository', t.repository, 'revoked', t.revoked
  )::text
$$;

CREATE FUNCTION access_token_captured() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM audit_record(
    CASE TG_OP WHEN 'INSERT' THEN 'token-create' ELSE 'token-revoke' END,
    NULL, NULL, NULL, NEW.environment, 'done',
    CASE TG_OP WHEN 'UPDATE' THEN access_token_image(OLD) END, access_token_image(NEW), NULL
  );
  RETURN NULL;
END $$;

CREATE FUNCTION access_token_only_revoked() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF OLD.revoked IS NOT NULL OR NEW.revoked IS NULL
    OR to_jsonb(NEW) - 'revoked' IS DISTINCT FROM to_jsonb(OLD) - 'revoked'
  THEN
    RAISE EXCEPTION 'a token is revoked, once, and never changed' USING ERRCODE = 'AU002';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER access_token_captured AFTER INSERT OR UPDATE ON access_token
FOR EACH ROW EXECUTE FUNCTION access_token_captured();

CREATE TRIGGER access_token_only_revoked BEFORE UPDATE ON access_token
FOR EACH ROW EXECUTE FUNCTION access_token_only_revoked();

CREATE TRIGGER access_token_never_deleted BEFORE DELETE ON access_token
FOR EACH ROW EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER access_token_never_truncated BEFORE TRUNCATE ON access_token
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
