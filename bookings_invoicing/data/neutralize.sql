-- a copy for tests knows no secret, no sign-in, and neither synchronizes nor writes anything by itself
DELETE FROM bookings_connection_secret;
DELETE FROM bookings_connection_sign_in;
UPDATE bookings_connection
   SET state = 'draft', may_write = false, database_uuid = NULL, sync_user_id = NULL, sync_account = NULL, certificate_thumbprint = NULL
 WHERE mode = 'live';
UPDATE bookings_sync_setup SET paused = true;
